"""What a person answered about name and image: for all trainings, and for each training they take part in (L11, L17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.answer import Answer
from preferences.domain.capability import RecipientId
from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.purpose import About, LawfulBasis
from preferences.queries.choices.choices import Standing
from preferences.queries.choices.preference_page import Control, asked_for, control_of, own_answers, waiting_of
from preferences.queries.choices.standing import person_at_once
from preferences.queries.purposes.purposes import catalogue

from .trainings import Training


@dataclass(frozen=True, slots=True)
class TrainingControl:
    """One control for one training."""

    control: Control
    follows_all: bool
    """Whether the answer is the one for all trainings."""


@dataclass(frozen=True, slots=True)
class TrainingChoices:
    """The controls of one training."""

    training: Training
    controls: tuple[TrainingControl, ...]


def training_choices(
    session: Session, recipient_id: RecipientId, trainings: Sequence[Training], *, at: datetime
) -> list[TrainingChoices]:
    """Name and image for each of these trainings, apart.

    What rests on consent is asked in general and nowhere else, so for a training it is only shown where there is something to
    withdraw or to look at: a yes, or an answer for this training (L17).
    """
    person = person_at_once(session, recipient_id, at=at)
    if person is None:
        return []
    known, where = catalogue(session), person.standing
    own, waiting = own_answers(where), asked_for(waiting_of(person.waiting, known))
    paths = list(published_one_by_one(known))
    found = []
    for training in trainings:
        controls = [(path, control_of(where, own, path, waiting, at, training.id)) for path in paths]
        shown = tuple(
            TrainingControl(control, _follows_all(where, path, control))
            for path, control in controls
            if _is_shown(where, control, training.id)
        )
        found.append(TrainingChoices(training, shown))
    return found


def published_one_by_one(known: Catalogue) -> Iterator[list[Described]]:
    """Everything in use that is about publishing, down to the single things: the path of each."""
    for entry in known.purposes():
        if entry.purpose.about is About.PUBLICATION:
            topics = known.topics(entry.purpose)
            yield from ([entry, topic] for topic in topics)
            if not topics:
                yield [entry]


def told_before_a_training(known: Catalogue) -> list[Described]:
    """What the notice before a training tells of: what is published unless somebody says no."""
    paths = published_one_by_one(known)
    return [path[-1] for path in paths if path[-1].purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST]


def _is_shown(where: Standing, control: Control, training_id: int) -> bool:
    if control.purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return True
    own = where.choice(control.purpose, training_id)
    return control.is_waiting or control.answer is Answer.YES or own.act is not None


def _follows_all(where: Standing, path: Sequence[Described], control: Control) -> bool:
    return control.above is not None and any(where.choice(step.purpose).since == control.since for step in path)
