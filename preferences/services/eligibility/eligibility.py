"""Eligibility for whoever is about to send: one recipient, or any number of ids and addresses in a row.

An answer is worth what it was when asked: ask just before handing a message over, and again after `until` (T24).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from queue import SimpleQueue

from sqlalchemy.orm import Session

from preferences.domain.address import normal_form
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Decision, Reason, Refused
from preferences.domain.purpose import Purpose
from preferences.domain.recipient_id import read_recipient_id
from preferences.models.crypto import BlindIndex, keyring
from preferences.models.ledger import EVERY_TRAINING
from preferences.queries.choices.choices import standing
from preferences.queries.choices.eligibility import Question, decide_by_address, decide_by_id
from preferences.queries.recipients.recipients import RecipientView

CHUNK = 10_000
"""How many are decided by one statement: few enough to keep memory flat, enough that the statement's own cost vanishes."""
MOST_SESSIONS = 2
"""How many chunks are decided at a time at most. More would take connections from everybody else."""


def sessions_worth_having(count: int) -> int:
    """How many sessions `decide_many` can put to use for so many identifiers."""
    return max(1, min(MOST_SESSIONS, -(-count // CHUNK)))


def decide_one(
    session: Session,
    path: Sequence[Purpose],
    recipient: RecipientView,
    *,
    at: datetime,
    training_id: int = EVERY_TRAINING,
) -> Decision:
    """May this message go to this recipient now? `path` runs from the purpose to its topic (`Catalogue.path`).

    For mail of our own, called in the moment it is handed to the mail server, not when it is queued (T24).
    """
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    return where.decide(list(path), at, training_id)


def decide_many(
    sessions: Sequence[Session],
    path: Sequence[Purpose],
    identifiers: Iterable[str],
    *,
    at: datetime,
    asked_at: datetime,
    training_id: int = EVERY_TRAINING,
) -> Generator[list[tuple[str, Decision]], None, None]:
    """The decision about each identifier, in the order given, chunk by chunk: memory does not grow with their number.

    An identifier is a recipient's id (13 characters) or an email address; one that is neither is answered `invalid_address`.
    Repeats are answered each time. `at` is when the message would go, `asked_at` is now: an `allowed` holds from then.

    With more than one session, as many chunks are decided at a time, each in a thread: while the database works for one,
    addresses of another are read. Such sessions belong to this generator until it is used up or closed.
    """
    question = Question(path=tuple(path), at=at, asked_at=asked_at, training_id=training_id)
    chunks = _chunks(identifiers)
    if len(sessions) == 1:
        for chunk in chunks:
            yield _decide_chunk(sessions[0], question, chunk)
        return
    free: SimpleQueue[Session] = SimpleQueue()
    for session in sessions:
        free.put(session)

    def decide_next(chunk: list[str]) -> list[tuple[str, Decision]]:
        session = free.get()
        try:
            return _decide_chunk(session, question, chunk)
        finally:
            free.put(session)

    with ThreadPoolExecutor(len(sessions)) as pool:
        under_way = deque(pool.submit(decide_next, chunk) for chunk in islice(chunks, len(sessions) + 1))
        while under_way:
            yield under_way.popleft().result()
            under_way.extend(pool.submit(decide_next, chunk) for chunk in islice(chunks, 1))


def _chunks(identifiers: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(identifiers)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _decide_chunk(session: Session, question: Question, identifiers: Sequence[str]) -> list[tuple[str, Decision]]:
    neither: Decision = Refused(Reason.PURPOSE_ARCHIVED if question.is_archived else Reason.INVALID_ADDRESS)
    answers = [neither] * len(identifiers)
    ids: list[RecipientId] = []
    id_places: list[int] = []
    indexes: list[BlindIndex] = []
    index_places: list[int] = []
    address_index = keyring().address_index
    for place, identifier in enumerate(identifiers):
        if "@" in identifier:
            if (normal := normal_form(identifier)) is not None:
                indexes.append(address_index(normal))
                index_places.append(place)
        elif (recipient_id := read_recipient_id(identifier)) is not None:
            ids.append(recipient_id)
            id_places.append(place)
    for place, decision in zip(id_places, decide_by_id(session, question, ids), strict=True):
        answers[place] = decision
    for place, decision in zip(index_places, decide_by_address(session, question, indexes), strict=True):
        answers[place] = decision
    return list(zip(identifiers, answers, strict=True))
