"""The privacy policy as published, and how far its announcement has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.policy import PolicyText, Weight
from preferences.models.policy import PolicyAnnouncementRow, PolicyNoticeRow, PolicyVersionRow

MOST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version with its texts by language."""

    number: int
    weight: Weight
    published_at: datetime
    texts: Mapping[str, PolicyText]

    def text(self, locale: str, default_locale: str) -> PolicyText:
        """In the language asked for, else the default one, else the first there is."""
        found = self.texts.get(locale) or self.texts.get(default_locale)
        return found or next(iter(self.texts.values()))


@dataclass(frozen=True, slots=True)
class Announcement:
    """How far a mailing has come. `outcomes` counts what became of the mails: `waiting`, `sent`, `dropped`, `failed`."""

    number: int
    position: int
    total: int
    started_at: datetime
    paused_at: datetime | None
    finished_at: datetime | None
    outcomes: Mapping[str, int]

    @property
    def queued(self) -> int:
        """How many people it has come to."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class OwnPolicyNotice:
    """That a person was written to about one version."""

    number: int
    queued_at: datetime
    done_at: datetime | None
    outcome: str | None


def own_policy_notices(session: Session, recipient_id: RecipientId) -> Sequence[OwnPolicyNotice]:
    """Which versions this person was told of, newest first."""
    columns = [getattr(PolicyNoticeRow, name) for name in OwnPolicyNotice.__dataclass_fields__]
    rows = session.execute(
        select(*columns).where(PolicyNoticeRow.recipient_id == recipient_id).order_by(PolicyNoticeRow.number.desc())
    )
    return [OwnPolicyNotice(*row) for row in rows]


def policy_versions(session: Session) -> Sequence[PolicyVersion]:
    """Every version, newest first."""
    rows = session.scalars(select(PolicyVersionRow).order_by(PolicyVersionRow.number.desc()))
    return [_version(row) for row in rows]


def policy_version(session: Session, number: int | None = None) -> PolicyVersion | None:
    """One version by its number; without one, the newest. None where there is none."""
    if number is not None and not 0 < number <= MOST_NUMBER:
        return None
    statement = select(PolicyVersionRow).order_by(PolicyVersionRow.number.desc()).limit(1)
    if number is not None:
        statement = statement.where(PolicyVersionRow.number == number)
    row = session.scalars(statement).one_or_none()
    return None if row is None else _version(row)


def announcement(session: Session, number: int) -> Announcement | None:
    """The mailing about a version; None where there is none."""
    return (
        announcements(session, PolicyAnnouncementRow.number == number).get(number)
        if 0 < number <= MOST_NUMBER
        else None
    )


def announcements(session: Session, *which: ColumnElement[bool]) -> dict[int, Announcement]:
    """The mailings by the number of their version: all of them, or those for which this holds."""
    rows = session.scalars(select(PolicyAnnouncementRow).where(*which)).all()
    counted = session.execute(
        select(PolicyNoticeRow.number, PolicyNoticeRow.outcome, func.count())
        .where(PolicyNoticeRow.number.in_([row.number for row in rows]))
        .group_by(PolicyNoticeRow.number, PolicyNoticeRow.outcome)
    )
    outcomes: dict[int, Counter[str]] = {row.number: Counter() for row in rows}
    for number, outcome, count in counted:
        kind = "waiting" if outcome is None else outcome.partition(":")[0].replace("given up", "failed")
        outcomes[number][kind] += count
    return {
        row.number: Announcement(
            row.number, row.position, row.total, row.started_at, row.paused_at, row.finished_at, outcomes[row.number]
        )
        for row in rows
    }


def _version(row: PolicyVersionRow) -> PolicyVersion:
    texts = {one.locale: PolicyText(one.locale, one.changes, one.body) for one in row.texts}
    return PolicyVersion(row.number, row.weight, row.published_at, texts)
