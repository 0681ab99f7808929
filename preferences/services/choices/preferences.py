"""Saves what a person changed on the preference page: reductions at once, increases asked of the mailbox.

The page names the set that it rendered and the state it showed; only what differs from that can change (T17). Nothing here
lifts a global stop (T18, D12), and nothing is turned on without the mailbox (T11): asked by mail, or proved for a session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.answer import Answer, shown_answer
from preferences.domain.eligibility import steps_of
from preferences.domain.errors import InvalidValue
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.choices import standing
from preferences.queries.choices.preference_page import own_answers, preference_page
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView

from .confirmations import Asked, ask_to_turn_on
from .consent import NewAct, record_act

LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Change:
    """One control whose answer differs from what the page showed. `purpose` holds the notice version that was shown."""

    purpose: Purpose
    answer: Answer
    locale: str
    """The language of the notice text shown, which may be another than the page's."""
    training_id: int = EVERY_TRAINING


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did: the ledger entries written, what now waits for the mailbox, and whether asking it was put off (T27)."""

    entry_ids: tuple[int, ...] = ()
    confirmation_id: int | None = None
    was_limited: bool = False


def save_choices(
    session: Session,
    recipient: RecipientView,
    changes: Sequence[Change],
    *,
    locale: str,
    now: datetime,
    proved_at: datetime | None = None,
) -> Saved:
    """Record every reduction now and ask the mailbox about every increase. The same change twice has one effect.

    `proved_at`: when the mailbox proved itself for the session that this comes from; then increases count at once too, with
    that as their evidence.
    """
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    own, known = own_answers(where), catalogue(session)
    entries: list[int] = []
    asked: list[Asked] = []
    for change in _refusals_first(changes):
        path = known.path_to(change.purpose)
        if any(step.is_archived for step in path):
            continue
        answer = shown_answer(own.decide(path, now, change.training_id))
        if change.answer is Answer.NO:
            current = where.choice(change.purpose, change.training_id)
            if current.stops:
                continue
            act = _no(change.purpose, answer, current.basis)
            # Never before what it answers, whatever this machine's clock says: a stop must not be lost to a faster one's.
            at = max(now, current.since or now)
            entries.append(_record(session, recipient, change, act, current.basis, at))
        elif change.answer is Answer.YES and answer is not Answer.YES:
            if proved_at is None:
                asked.append(_yes(change))
            else:
                entries.append(_turn_on(session, recipient, change, proved_at, now))
    return _ask(session, recipient, asked, entries, locale=locale, now=now)


def pause(session: Session, recipient: RecipientView, *, until: datetime, locale: str, now: datetime) -> Saved:
    """Pause all mail that the person gets, until a date. Beside the permissions, never in place of opting out (D7).

    Raises InvalidValue for a date that is past or more than a year away. Repeating it has no effect.
    """
    if not now < until <= now + LONGEST_PAUSE:
        raise InvalidValue("A pause ends after today and within a year.", pointer="/until")
    page = preference_page(session, recipient, at=now)
    gets = [
        control
        for control in page.controls
        if control.purpose.about is About.MAIL
        and any(one.answer is Answer.YES for one in (control, *control.topics))
        and control.paused_until != until
    ]
    entries = [
        record_act(
            session,
            NewAct(
                recipient_id=recipient.id,
                purpose=control.purpose,
                act=Act.PAUSED,
                method=Method.PREFERENCE_PAGE,
                occurred_at=max(now, control.since or now),
                paused_until=until,
                notice_version_id=control.purpose.notice_version_id,
                locale=locale,
            ),
            now=max(now, control.since or now),
        )
        for control in gets
    ]
    return Saved(tuple(entries))


def ask_to_resume(session: Session, recipient: RecipientView, *, locale: str, now: datetime) -> Saved:
    """End every pause of mail early: more mail than now, so the mailbox is asked first (T11)."""
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    asked = [
        Asked(entry.purpose, Act.RESUMED)
        for entry in catalogue(session).all()
        if entry.purpose.about is About.MAIL
        and not entry.purpose.is_archived
        and where.choice(entry.purpose).is_paused(now)
    ]
    return _ask(session, recipient, asked, [], locale=locale, now=now)


def ask_to_restart(session: Session, recipient: RecipientView, *, locale: str, now: datetime) -> Saved:
    """Lift the person's own global stop: only the mailbox can say so (T11, T18). No effect where nothing is stopped."""
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    everything = catalogue(session).everything().purpose
    asked = [Asked(everything, Act.OBJECTION_LIFTED)] if where.stopped_everything else []
    return _ask(session, recipient, asked, [], locale=locale, now=now)


def choose_language(session: Session, recipient: RecipientView, locale: str, *, now: datetime) -> None:
    """The language of pages and mail from now on."""
    session.execute(update(RecipientRow).where(RecipientRow.id == recipient.id).values(locale=locale, updated_at=now))


def _ask(
    session: Session,
    recipient: RecipientView,
    asked: Sequence[Asked],
    entries: Sequence[int],
    *,
    locale: str,
    now: datetime,
) -> Saved:
    if not asked:
        return Saved(tuple(entries))
    confirmation_id = ask_to_turn_on(session, recipient.id, asked, locale=locale, now=now)
    return Saved(tuple(entries), confirmation_id, was_limited=confirmation_id is None)


def _refusals_first(changes: Sequence[Change]) -> list[Change]:
    """Refusals before increases, so that what is asked for is not cancelled by a refusal of the same save."""
    return sorted(changes, key=lambda change: change.answer is Answer.YES)


def _no(purpose: Purpose, shown: Answer, basis: LawfulBasis | None) -> Act:
    if purpose.lawful_basis is LawfulBasis.CONSENT and shown is Answer.UNSET:
        return Act.REFUSED
    if basis is LawfulBasis.SOFT_OPT_IN:
        return Act.OBJECTED
    return Act.WITHDRAWN if purpose.lawful_basis is LawfulBasis.CONSENT else Act.OBJECTED


def _yes(change: Change) -> Asked:
    if change.purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return Asked(change.purpose, Act.OBJECTION_LIFTED, None, change.training_id, change.locale)
    return Asked(change.purpose, Act.GIVEN, LawfulBasis.CONSENT, change.training_id, change.locale)


def _turn_on(session: Session, recipient: RecipientView, change: Change, proved_at: datetime, now: datetime) -> int:
    """Record an increase from a page that only the mailbox opens. Newer than every stop it answers, also of the same save."""
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    steps = steps_of(catalogue(session).path_to(change.purpose), change.training_id)
    stops = [where.choice(one.purpose, one.training_id) for one in steps]
    at = max([now, *(one.since + timedelta(microseconds=1) for one in stops if one.stops and one.since is not None)])
    wanted = _yes(change)
    proof = {"source": f"the mailbox proved itself {proved_at.isoformat(timespec='seconds')}"}
    return _record(session, recipient, change, wanted.act, wanted.basis, at, evidence=proof)


def _record(
    session: Session,
    recipient: RecipientView,
    change: Change,
    act: Act,
    basis: LawfulBasis | None,
    at: datetime,
    *,
    evidence: Mapping[str, str] | None = None,
) -> int:
    new = NewAct(
        recipient_id=recipient.id,
        purpose=change.purpose,
        act=act,
        basis=basis,
        training_id=change.training_id,
        method=Method.PREFERENCE_PAGE,
        occurred_at=at,
        notice_version_id=change.purpose.notice_version_id,
        locale=change.locale,
        evidence=evidence or {},
    )
    return record_act(session, new, now=at)
