"""Bursts of opt-outs that look like a security scanner pressing every button: many people at one place within a minute.

Nothing is stored of them: the ledger holds everything, and a burst is named by its message and its minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, extract, func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.audit import AuditAction
from preferences.domain.capability import RecipientId
from preferences.models.audit import AuditRow
from preferences.models.bulk import is_sqlite
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.queries.numbers.opt_out_counts import OPT_OUTS
from preferences.queries.numbers.periods import entries_of

BY_A_LINK = (Method.ONE_CLICK, Method.UNSUBSCRIBE_PAGE)
"""What a program that opens the links of a mail can do."""

FROM_ONE_DOMAIN = 8
"""So many people of one domain, if they are a tenth of those we know there: nobody's colleagues act within one minute."""

BY_ONE_MESSAGE = 60
"""So many people by the links of one message, wherever they are."""

LOOKED_BACK = timedelta(days=3)
MOST_BURSTS = 20
MOST_SHOWN = 500
MOST_HANDLED = 500


@dataclass(frozen=True, slots=True)
class Burst:
    """One burst. `message_id` is 0 where the links named none; `domains` is empty where it is everybody of that minute."""

    message_id: int
    minute: int
    """Minutes since 1970, UTC."""
    people: int
    domains: tuple[bytes, ...]

    @property
    def key(self) -> str:
        """What names it in addresses."""
        return f"{self.message_id}-{self.minute}"

    @property
    def at(self) -> datetime:
        """When its minute began."""
        return datetime.fromtimestamp(self.minute * 60, UTC)


@dataclass(frozen=True, slots=True, repr=False)
class BurstEntry:
    """One opt-out of a burst, and whose. Never logged."""

    entry_id: int
    recipient_id: RecipientId
    address: str | None
    purpose_id: int
    act: Act
    method: Method
    recorded_at: datetime


def recent_bursts(session: Session, *, now: datetime) -> list[Burst]:
    """The bursts of the last days that nobody has looked after yet, the newest first."""
    found = _bursts(session, entries_of(session, now - LOOKED_BACK, None))
    if found:
        done = _handled(session)
        found = [one for one in found if (one.message_id, one.minute) not in done]
    return sorted(found, key=lambda one: -one.minute)[:MOST_BURSTS]


def burst_at(session: Session, message_id: int, minute: int) -> Burst | None:
    """The burst with this name, looked after or not; None where there is none."""
    try:
        start = datetime.fromtimestamp(minute * 60, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    within = entries_of(session, start, start + timedelta(minutes=1))
    return next((one for one in _bursts(session, [*within, _message() == message_id]) if one.minute == minute), None)


def entries_in(session: Session, burst: Burst, *, after: int = 0, limit: int = MOST_SHOWN) -> list[BurstEntry]:
    """The opt-outs of a burst, in order, at most `limit` of those with an id above `after`."""
    entry = LedgerEntryRow
    asked = (
        select(
            entry.id,
            entry.recipient_id,
            RecipientRow.address,
            entry.purpose_id,
            entry.act,
            entry.method,
            entry.recorded_at,
        )
        .join(RecipientRow, RecipientRow.id == entry.recipient_id)
        .where(
            *entries_of(session, burst.at, burst.at + timedelta(minutes=1)),
            *_by_a_link(),
            _message() == burst.message_id,
            entry.id > after,
        )
        .order_by(entry.id)
        .limit(limit)
    )
    if burst.domains:
        asked = asked.where(RecipientRow.domain_index.in_(burst.domains))
    return [BurstEntry(row[0], RecipientId(row[1]), *row[2:]) for row in session.execute(asked)]


def is_handled(session: Session, burst: Burst) -> bool:
    """Whether somebody has looked after it."""
    return (burst.message_id, burst.minute) in _handled(session)


def still_standing(session: Session, recipient_id: RecipientId, entry_ids: Iterable[int]) -> list[int]:
    """The purposes of those entries of a person's that no later choice of theirs has replaced."""
    found = select(ChoiceRow.purpose_id).where(
        ChoiceRow.recipient_id == recipient_id, ChoiceRow.entry_id.in_(list(entry_ids))
    )
    return list(session.scalars(found.order_by(ChoiceRow.purpose_id)))


def _bursts(session: Session, within: Sequence[ColumnElement[bool]]) -> list[Burst]:
    people = func.count(LedgerEntryRow.recipient_id.distinct())
    minute, message = _minute(session).label("minute"), _message().label("message")
    counted = (
        select(message, minute, RecipientRow.domain_index, people)
        .join(RecipientRow, RecipientRow.id == LedgerEntryRow.recipient_id)
        .where(*within, *_by_a_link(), RecipientRow.domain_index.is_not(None))
        .group_by("message", "minute", RecipientRow.domain_index)
        .having(people >= FROM_ONE_DOMAIN)
        .order_by(people.desc())
        .limit(5 * MOST_BURSTS)
    )
    by_domain: dict[tuple[int, int], list[tuple[bytes, int]]] = {}
    for message_id, at, domain, count in session.execute(counted):
        assert domain is not None  # noqa: S101 - asked for above
        by_domain.setdefault((message_id, at), []).append((domain, count))
    known = _people_at(session, {domain for found in by_domain.values() for domain, _ in found})
    many = (
        select(message, minute, people)
        .where(*within, *_by_a_link(), LedgerEntryRow.reference > 0)
        .group_by("message", "minute")
        .having(people >= BY_ONE_MESSAGE)
        .order_by(people.desc())
        .limit(MOST_BURSTS)
    )
    bursts = {(row[0], row[1]): Burst(row[0], row[1], row[2], ()) for row in session.execute(many)}
    for key, found in by_domain.items():
        small = [(domain, count) for domain, count in found if count * 10 >= known[domain]]
        if small and key not in bursts:
            bursts[key] = Burst(*key, sum(count for _, count in small), tuple(sorted(domain for domain, _ in small)))
    return list(bursts.values())


def _people_at(session: Session, domains: set[bytes]) -> dict[bytes, int]:
    """How many we know at each of these domains. Asked only where somebody left from there many at a time."""
    if not domains:
        return {}
    rows = session.execute(
        select(RecipientRow.domain_index, func.count())
        .where(RecipientRow.domain_index.in_(domains))
        .group_by(RecipientRow.domain_index)
    )
    return {domain: count for domain, count in rows if domain is not None}


def _handled(session: Session) -> set[tuple[int, int]]:
    rows = session.execute(
        select(AuditRow.object_id, AuditRow.data)
        .where(AuditRow.action == AuditAction.BURST_HANDLED)
        .order_by(AuditRow.id.desc())
        .limit(MOST_HANDLED)
    )
    return {(int((data or {}).get("message", 0)), minute) for minute, data in rows if minute is not None}


def _by_a_link() -> list[ColumnElement[bool]]:
    entry = LedgerEntryRow
    return [entry.act.in_(OPT_OUTS), entry.actor == Actor.RECIPIENT, entry.method.in_(BY_A_LINK)]


def _message() -> ColumnElement[int]:
    return func.coalesce(LedgerEntryRow.reference, 0)


def _minute(session: Session) -> ColumnElement[int]:
    """Minutes since 1970 of when it was recorded."""
    moment: Any = LedgerEntryRow.recorded_at
    if is_sqlite(session):
        return cast(func.strftime("%s", moment), BigInteger) // 60
    return cast(func.floor(extract("epoch", moment) / 60), BigInteger)
