"""Saves what a person changed on the preference page: reductions at once, increases asked of the mailbox.

The page names the set that it rendered and the state it showed; only what differs from that can change (T17). Nothing here
lifts a global stop (T18, D12), and nothing is turned on without the mailbox (T11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Allowed, Decision, Reason, RecipientStatus
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.recipient import RecipientRow
from preferences.queries.choices import Standing, standing
from preferences.queries.purposes import catalogue
from preferences.queries.recipients import RecipientView

from .confirmations import Asked, ask_to_turn_on
from .consent import NewAct, record_act


class Answer(StrEnum):
    """A state as the page shows it: unset differs from no (D3)."""

    YES = "yes"
    NO = "no"
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class Change:
    """One control whose answer differs from what the page showed."""

    purpose: Purpose
    answer: Answer
    training_id: int = EVERY_TRAINING


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did: the ledger entries written (first to last), and what now waits for the mailbox."""

    entry_ids: tuple[int, ...] = ()
    confirmation_id: int | None = None


def shown_answer(decision: Decision) -> Answer:
    """How a page shows a decision about the person's own choice. A pause or a suppression does not change the answer."""
    if isinstance(decision, Allowed):
        return Answer.YES
    if decision.reason is Reason.NO_BASIS:
        return Answer.UNSET
    return Answer.NO


def answer_of(where: Standing, path: Sequence[Purpose], at: datetime, training_id: int = EVERY_TRAINING) -> Answer:
    """The person's own answer for the last purpose of the path, leaving pauses and suppressions out of it."""
    awake = {
        key: replace(choice, paused_at=None, paused_until=None, pause_entry_id=None)
        for key, choice in where.choices.items()
    }
    bare = Standing(status=RecipientStatus.ACTIVE, choices=awake, suppressions=())
    return shown_answer(bare.decide(list(path), at, training_id))


def save_choices(
    session: Session, recipient: RecipientView, changes: Sequence[Change], *, locale: str, now: datetime
) -> Saved:
    """Record every reduction now and ask the mailbox about every increase. The same change twice has one effect."""
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    known = catalogue(session)
    entries: list[int] = []
    asked: list[Asked] = []
    for change in _refusals_first(changes):
        path = known.path_to(change.purpose)
        if change.answer is Answer.NO:
            current = where.choice(change.purpose, change.training_id)
            if current.stops:
                continue
            act = _no(change.purpose, answer_of(where, path, now, change.training_id), current.basis)
            entries.append(_record(session, recipient.id, change, act, current.basis, locale, now))
        elif change.answer is Answer.YES and answer_of(where, path, now, change.training_id) is not Answer.YES:
            asked.append(_yes(change))
    confirmation_id = ask_to_turn_on(session, recipient.id, asked, locale=locale, now=now) if asked else None
    return Saved(tuple(entries), confirmation_id)


def pause(
    session: Session,
    recipient: RecipientView,
    purposes: Sequence[Purpose],
    *,
    until: datetime,
    locale: str,
    now: datetime,
) -> Saved:
    """Pause these purposes until a date. Beside the permission, never in place of opting out (D7)."""
    entries = [
        record_act(
            session,
            NewAct(
                recipient_id=recipient.id,
                purpose=purpose,
                act=Act.PAUSED,
                method=Method.PREFERENCE_PAGE,
                occurred_at=now,
                paused_until=until,
                notice_version_id=purpose.notice_version_id,
                locale=locale,
            ),
            now=now,
        )
        for purpose in purposes
    ]
    return Saved(tuple(entries))


def ask_to_resume(
    session: Session, recipient: RecipientView, purposes: Sequence[Purpose], *, locale: str, now: datetime
) -> Saved:
    """End a pause early: more mail than now, so the mailbox is asked first (T11)."""
    asked = [Asked(purpose, Act.RESUMED) for purpose in purposes]
    return Saved(confirmation_id=ask_to_turn_on(session, recipient.id, asked, locale=locale, now=now))


def choose_language(session: Session, recipient: RecipientView, locale: str, *, now: datetime) -> None:
    """The language of pages and mail from now on."""
    session.execute(update(RecipientRow).where(RecipientRow.id == recipient.id).values(locale=locale, updated_at=now))


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
        return Asked(change.purpose, Act.OBJECTION_LIFTED, None, change.training_id)
    return Asked(change.purpose, Act.GIVEN, LawfulBasis.CONSENT, change.training_id)


def _record(
    session: Session,
    recipient_id: RecipientId,
    change: Change,
    act: Act,
    basis: LawfulBasis | None,
    locale: str,
    now: datetime,
) -> int:
    return record_act(
        session,
        NewAct(
            recipient_id=recipient_id,
            purpose=change.purpose,
            act=act,
            basis=basis,
            training_id=change.training_id,
            method=Method.PREFERENCE_PAGE,
            occurred_at=now,
            notice_version_id=change.purpose.notice_version_id,
            locale=locale,
        ),
        now=now,
    )
