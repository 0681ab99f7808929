"""The check before publishing: names as somebody typed them, looked up among those who take part (L11, L17)."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Reason, Refused
from preferences.queries.photos.trainings import Participant, participants

from .photos import MayPublish, may_publish
from .training_people import find_people
from .trainings import find_training

_UNKNOWN = Refused(Reason.UNKNOWN_RECIPIENT)


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """The answer about one name. Never logged."""

    written: str
    may: MayPublish
    person: Participant | None
    """Who was meant; None for somebody who is not on the training's list."""
    is_known: bool
    is_shared: bool
    """Whether several on the list have this name: each of them is answered."""

    @property
    def is_sure(self) -> bool:
        """Whether it is one person of this training, who has been told before it."""
        return self.person is not None and self.person.notified_at is not None and not self.is_shared


def check_names(
    session: Session, training_id: int, names: Sequence[str], *, at: datetime, asked_at: datetime
) -> list[Checked]:
    """Who of these may be published from a training: each by address, id, or the whole name of somebody on its list.

    Whoever is not known is refused: nothing says that they were ever told. Raises UnknownTraining.
    """
    find_training(session, training_id)
    on_list = participants(session, training_id)
    by_id = {one.recipient_id: one for one in on_list}
    by_name: dict[str, list[RecipientId]] = defaultdict(list)
    for one in on_list:
        if one.name:
            by_name[_folded(one.name)].append(one.recipient_id)
    known = find_people(session, names).found
    meant = [(name, [known[name]] if name in known else by_name.get(_folded(name), [])) for name in names]
    ids = list(dict.fromkeys(number for _, numbers in meant for number in numbers))
    may = dict(zip(ids, may_publish(session, training_id, ids, at=at, asked_at=asked_at), strict=True))
    nobody = MayPublish(_UNKNOWN, _UNKNOWN, _UNKNOWN)
    checked = []
    for name, numbers in meant:
        is_shared = len(numbers) > 1
        checked += [
            Checked(name, may[number], by_id.get(number), is_known=True, is_shared=is_shared) for number in numbers
        ]
        if not numbers:
            checked.append(Checked(name, nobody, None, is_known=False, is_shared=False))
    return checked


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
