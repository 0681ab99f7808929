"""Who may be published, by name and by image: the list for the photographer, and the check before publishing (L11, L17).

Both ask the one eligibility engine. An answer is worth what it was when asked: ask again just before publishing (T24).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Decision
from preferences.domain.photo import PHOTO_IMAGE, PHOTO_MARKETING, PHOTO_NAME
from preferences.models.ledger import EVERY_TRAINING
from preferences.queries.choices.eligibility import Question, decide_by_id
from preferences.queries.photos.trainings import Participant, participants
from preferences.queries.purposes.purposes import catalogue
from preferences.services.eligibility.eligibility import CHUNK, decide_many

from .trainings import find_training

KEYS = (PHOTO_NAME, PHOTO_IMAGE, PHOTO_MARKETING)


@dataclass(frozen=True, slots=True)
class MayPublish:
    """Three decisions about one person at one training. Advertising needs the third *and* that of what is shown."""

    name: Decision
    image: Decision
    marketing: Decision
    """Use of either in advertising: never without consent (lag 1978:800; L17)."""


@dataclass(frozen=True, slots=True, repr=False)
class Listed:
    """A participant with what may be published of them; never logged."""

    person: Participant
    may: MayPublish


def photo_list(session: Session, training_id: int, *, at: datetime, asked_at: datetime) -> list[Listed]:
    """Everybody on the training, by name, with name and image allowed or refused, why and since when.

    `at` is when it would be published, `asked_at` is now. Raises UnknownTraining.
    """
    find_training(session, training_id)
    people = participants(session, training_id)
    may = may_publish(session, training_id, [one.recipient_id for one in people], at=at, asked_at=asked_at)
    return [Listed(person, one) for person, one in zip(people, may, strict=True)]


def may_publish(
    session: Session, training_id: int, recipient_ids: Sequence[RecipientId], *, at: datetime, asked_at: datetime
) -> list[MayPublish]:
    """What may be published of each of these recipients from a training, in the order asked."""
    may: list[MayPublish] = []
    remaining = iter(recipient_ids)
    while chunk := list(islice(remaining, CHUNK)):
        answers = [
            decide_by_id(session, _question(session, key, training_id, at=at, asked_at=asked_at), chunk) for key in KEYS
        ]
        may += [MayPublish(*three) for three in zip(*answers, strict=True)]
    return may


def photo_check(
    session: Session,
    who: Sequence[str],
    *,
    at: datetime,
    asked_at: datetime,
    training_id: int = EVERY_TRAINING,
) -> list[MayPublish]:
    """The same for anybody, by id or address, in the order asked: just before something is published.

    Without a training the answer is the general one, and a no that was said for a single training is not in it. Whoever is
    not known to us is refused: nothing says that they were ever told. Raises UnknownTraining.
    """
    if training_id != EVERY_TRAINING:
        find_training(session, training_id)
    known = catalogue(session)
    answers = []
    for key in KEYS:
        parts = decide_many([session], known.path(key), who, at=at, asked_at=asked_at, training_id=training_id)
        answers.append([decision for part in parts for _, decision in part])
    return [MayPublish(*three) for three in zip(*answers, strict=True)]


def _question(session: Session, key: str, training_id: int, *, at: datetime, asked_at: datetime) -> Question:
    path = tuple(catalogue(session).path(key))
    return Question(path=path, at=at, asked_at=asked_at, training_id=training_id)
