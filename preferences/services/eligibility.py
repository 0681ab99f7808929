"""Eligibility for whoever is about to send: one recipient, or any number of ids and addresses in a row.

An answer is worth what it was when asked: ask just before handing a message over, and again after `until` (T24).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Decision, Reason, Refused
from preferences.domain.errors import InvalidAddress
from preferences.domain.purpose import Purpose
from preferences.domain.recipient_id import read_recipient_id
from preferences.models.crypto import BlindIndex, keyring
from preferences.models.ledger import EVERY_TRAINING
from preferences.queries.choices import standing
from preferences.queries.eligibility import Question, decide_by_address, decide_by_id
from preferences.queries.recipients import RecipientView

CHUNK = 5_000
"""How many are decided by one statement: few enough to keep memory flat, enough that the statement's own cost vanishes."""


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
    session: Session,
    path: Sequence[Purpose],
    identifiers: Iterable[str],
    *,
    at: datetime,
    asked_at: datetime,
    training_id: int = EVERY_TRAINING,
) -> Iterator[list[tuple[str, Decision]]]:
    """The decision about each identifier, in the order given, chunk by chunk: memory does not grow with their number.

    An identifier is a recipient's id (13 characters) or an email address; one that is neither is answered `invalid_address`.
    Repeats are answered each time. `at` is when the message would go, `asked_at` is now: an `allowed` holds from then.
    """
    question = Question(path=tuple(path), at=at, asked_at=asked_at, training_id=training_id)
    remaining = iter(identifiers)
    while chunk := list(islice(remaining, CHUNK)):
        yield list(zip(chunk, _decide_chunk(session, question, chunk), strict=True))


def _decide_chunk(session: Session, question: Question, identifiers: Sequence[str]) -> list[Decision]:
    neither: Decision = Refused(Reason.PURPOSE_ARCHIVED if question.is_archived else Reason.INVALID_ADDRESS)
    answers = [neither] * len(identifiers)
    ids: list[RecipientId] = []
    id_places: list[int] = []
    indexes: list[BlindIndex] = []
    index_places: list[int] = []
    address_index = keyring().address_index
    for place, identifier in enumerate(identifiers):
        if "@" in identifier:
            try:
                indexes.append(address_index(parse_address(identifier).normal))
            except InvalidAddress:
                continue
            index_places.append(place)
        elif (recipient_id := read_recipient_id(identifier)) is not None:
            ids.append(recipient_id)
            id_places.append(place)
    for place, decision in zip(id_places, decide_by_id(session, question, ids), strict=True):
        answers[place] = decision
    for place, decision in zip(index_places, decide_by_address(session, question, indexes), strict=True):
        answers[place] = decision
    return answers
