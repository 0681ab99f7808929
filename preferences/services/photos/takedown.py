"""Takedowns: a person asks that something published goes; staff follow it to its end and say what became of it.

That it was asked for is told to every mailer in the same transaction, and both ends are mailed: received, and done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.events import EventType
from preferences.domain.photo import (
    MOST_NOTE_CHARACTERS,
    MOST_OPEN_TAKEDOWNS,
    MOST_TAKEDOWNS_A_DAY,
    OPEN_TAKEDOWNS,
    TakedownNotTaken,
    TakedownState,
    TakedownWhat,
    new_takedown_reference,
    read_published_url,
)
from preferences.domain.text import written
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.photo import TakedownRow
from preferences.queries.photos.takedowns import count_takedowns_since, takedowns_of
from preferences.queries.photos.trainings import training_with
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.outbox import enqueue_mail, tell_change
from preferences.services.rights.rights import lock_recipient

RECEIVED, CLOSED = "takedown_received", "takedown_done"
"""The two mails."""

_A_DAY = timedelta(days=1)


class UnknownTakedown(NotFound):
    """No takedown has this reference."""

    code: ClassVar[str] = "unknown_takedown"
    title: ClassVar[str] = "Unknown takedown"


class TakedownClosed(Conflict):
    """It has been done or refused already, and the person has been told."""

    code: ClassVar[str] = "takedown_closed"
    title: ClassVar[str] = "The takedown is closed"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewTakedown:
    """What a person asks for. `url` as typed; `training_id` 0: not said."""

    url: str
    what: TakedownWhat
    training_id: int = EVERY_TRAINING
    note: str = ""


def request_takedown(
    session: Session, recipient: RecipientView, new: NewTakedown, *, locale: str, now: datetime
) -> str | TakedownNotTaken:
    """Take it, tell of it, mail a receipt. Returns its reference: the old one where the same is open already.

    Raises InvalidValue for an address that is none, a note that cannot be kept, and a training the person is not on.
    """
    url, note = read_published_url(new.url), _text(new.note, "/note")
    if new.training_id != EVERY_TRAINING and training_with(session, recipient.id, new.training_id) is None:
        raise InvalidValue("This is no training of yours.", pointer="/training")
    if not _is_there(session, recipient.id):
        return TakedownNotTaken.GONE
    waiting = [one for one in takedowns_of(session, recipient.id) if one.is_open]
    same = next((one for one in waiting if (one.url, one.what) == (url, new.what)), None)
    if same is not None:
        return same.reference
    if len(waiting) >= MOST_OPEN_TAKEDOWNS:
        return TakedownNotTaken.TOO_MANY_OPEN
    if count_takedowns_since(session, recipient.id, now - _A_DAY) >= MOST_TAKEDOWNS_A_DAY:
        return TakedownNotTaken.TOO_MANY_TODAY
    row = TakedownRow(
        reference=new_takedown_reference(),
        recipient_id=recipient.id,
        training_id=new.training_id,
        url=url,
        what=new.what,
        note=note or None,
        state=TakedownState.RECEIVED,
        requested_at=now,
    )
    session.add(row)
    session.flush()
    told = {"takedown": row.reference, "what": new.what.value, "training_id": new.training_id}
    tell_change(session, EventType.TAKEDOWN_REQUESTED, recipient_id=recipient.id, now=now, data=told)
    parameters = {"takedown_id": row.id, "locale": locale}
    enqueue_mail(session, RECEIVED, recipient_id=recipient.id, parameters=parameters, now=now)
    return row.reference


def start_takedown(session: Session, reference: str) -> None:
    """Staff work on it. Repeating it changes nothing. Raises UnknownTakedown, TakedownClosed."""
    open_takedown(session, reference).state = TakedownState.IN_PROGRESS
    session.flush()


def close_takedown(
    session: Session, reference: str, state: TakedownState, answer: str, *, proof: str = "", now: datetime
) -> None:
    """Done, or refused; the answer says what was removed, or why not, and is mailed to the person. The proof is not.

    Of somebody who has been erased meanwhile nothing is kept beyond that it was done. Raises UnknownTakedown, TakedownClosed,
    and InvalidValue without an answer.
    """
    if state in OPEN_TAKEDOWNS:
        raise InvalidValue("A takedown is closed as done or refused.", pointer="/state")
    said = _text(answer, "/answer")
    if not said:
        raise InvalidValue("The person is told what was removed, or why not: write it.", pointer="/answer")
    row = open_takedown(session, reference)
    row.state, row.closed_at, row.answer, row.proof = state, now, said, _text(proof, "/proof") or None
    if _is_there(session, RecipientId(row.recipient_id)):
        parameters = {"takedown_id": row.id}
        enqueue_mail(session, CLOSED, recipient_id=RecipientId(row.recipient_id), parameters=parameters, now=now)
    else:
        row.url = row.note = row.answer = row.proof = None
    session.flush()


def open_takedown(session: Session, reference: str) -> TakedownRow:
    """The case, held until the transaction ends. Raises UnknownTakedown, TakedownClosed."""
    wanted = select(TakedownRow).where(TakedownRow.reference == reference.strip().upper()).with_for_update()
    row = session.scalars(wanted).one_or_none()
    if row is None:
        raise UnknownTakedown("There is no takedown with this reference.")
    if row.state not in OPEN_TAKEDOWNS:
        raise TakedownClosed("The takedown is closed, and the person has been told so.")
    return row


def _is_there(session: Session, recipient_id: RecipientId) -> bool:
    """Whether the person has not been erased; two tabs, and an erasure, take turns with us."""
    return lock_recipient(session, recipient_id) not in {None, RecipientStatus.ERASED}


def _text(text: str, pointer: str) -> str:
    """Without what would do something on a terminal or in a mail; line breaks stay."""
    said = written(text.replace("\t", " "))
    if len(said) > MOST_NOTE_CHARACTERS:
        raise InvalidValue(f"At most {MOST_NOTE_CHARACTERS} characters can be kept.", pointer=pointer)
    return said
