"""What a POST to the preference centre says. The form names the set that it rendered and the state it showed (T17).

Everything is bounded and checked; what no page of ours can have sent is answered with 400 and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from flask import Request, abort
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from preferences.domain.answer import Answer
from preferences.domain.choice import EVERY_TRAINING
from preferences.domain.purpose import About, NoticeVersionId, Purpose, PurposeId
from preferences.queries.purposes.notices import notice_exists
from preferences.queries.purposes.purposes import catalogue
from preferences.services.choices.preferences import Change
from preferences.services.choices.unsubscribe import NOTHING_SHOWN, Shown

MOST_BYTES = 64 * 1024
MOST_FIELDS = 600
"""Two for each purpose and topic; far more than a page a person could read."""

_FIELD = re.compile(
    r"(?P<kind>shown|answer)-(?P<key>[a-z][a-z0-9_]{0,63})(?:-(?P<training>[1-9][0-9]{0,17}))?", re.ASCII
)
_SHOWN = re.compile(r"(?P<answer>yes|no|unset)\.(?P<version>[1-9][0-9]{0,8})\.(?P<locale>[A-Za-z_]{2,16})", re.ASCII)
_ANYTHING = frozenset({About.MAIL, About.PUBLICATION})
_NOTICE = re.compile(r"(?P<version>[1-9][0-9]{0,8})\.(?P<locale>[A-Za-z_]{2,16})", re.ASCII)


class Action(StrEnum):
    """Which button was pressed."""

    SAVE = "save"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"
    UNDO = "undo"
    LANGUAGE = "language"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered control of a form: the change it would make, and what the page showed."""

    change: Change
    shown: Answer

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what was shown."""
        return self.change.answer is not self.shown


@dataclass(frozen=True, slots=True)
class Posted:
    """A form of ours, its fields by name, each at most once."""

    action: Action
    fields: dict[str, str]


def is_stop(request: Request) -> bool:
    """Whether «stop everything» was pressed: that is never limited."""
    request.max_content_length = MOST_BYTES
    try:
        return request.form.get("action") == Action.STOP
    except RequestEntityTooLarge:  # answered by the view; here it would only be logged as a fault of the limits
        return False


def read_form(request: Request, *, other: Collection[str] = ()) -> Posted:
    """The posted form, without `other` fields that somebody else reads. Answers 400 or 413 for what is none of ours."""
    request.max_content_length = MOST_BYTES
    form: MultiDict[str, str] = request.form
    fields = form.to_dict()
    if request.files or len(fields) > MOST_FIELDS or any(len(values) > 1 for _, values in form.lists()):
        abort(400)
    fields = {name: value for name, value in fields.items() if name not in other}
    try:
        return Posted(Action(fields.pop("action", "")), fields)
    except ValueError:
        abort(400)


def read_changes(session: Session, fields: dict[str, str]) -> list[Change]:
    """The controls whose answer differs from what the page showed, in the order sent. Raises UnknownPurpose; answers 400.

    A control without an answer says nothing: absent never means off (T17).
    """
    return [one.change for one in read_answers(session, fields) if one.is_changed]


def read_answers(
    session: Session, fields: dict[str, str], *, trainings: Collection[int] = (), about: Collection[About] = _ANYTHING
) -> list[Answered]:
    """Every answered control. `trainings`: those that the form may name, `about`: what its purposes may be about; else 400."""
    known = catalogue(session)
    found: list[Answered] = []
    for name, value in fields.items():
        field = _FIELD.fullmatch(name)
        if field is None or (field["kind"] == "shown" and not _SHOWN.fullmatch(value)):
            abort(400)
        purpose, training = known.by_key(field["key"]).purpose, int(field["training"] or EVERY_TRAINING)
        if purpose.about not in about or (training != EVERY_TRAINING and training not in trainings):
            abort(400)
        if field["kind"] == "answer":
            was = fields.get(f"shown-{name.removeprefix('answer-')}", "")
            found.append(_answered(session, purpose, training, value, was))
    return found


def trainings_named(fields: Collection[str]) -> set[int]:
    """The trainings that names of fields are about."""
    found = (_FIELD.fullmatch(name) for name in fields)
    return {int(field["training"]) for field in found if field is not None and field["training"]}


def read_shown(session: Session, text: str) -> Shown:
    """The wording that stood beside «stop everything», if it can have been shown at all (L2)."""
    found = _NOTICE.fullmatch(text)
    everything = catalogue(session).everything().purpose
    if found is None or not _was_published(session, everything.id, found):
        return NOTHING_SHOWN
    return Shown(NoticeVersionId(int(found["version"])), found["locale"])


def _answered(session: Session, purpose: Purpose, training_id: int, value: str, was: str) -> Answered:
    shown = _SHOWN.fullmatch(was)
    if shown is None or value not in {Answer.YES, Answer.NO}:
        abort(400)
    if value != shown["answer"] and not _was_published(session, purpose.id, shown):
        abort(400)
    as_shown = replace(purpose, notice_version_id=NoticeVersionId(int(shown["version"])))
    return Answered(Change(as_shown, Answer(value), shown["locale"], training_id), Answer(shown["answer"]))


def _was_published(session: Session, purpose_id: PurposeId, shown: re.Match[str]) -> bool:
    return notice_exists(session, purpose_id=purpose_id, version_id=int(shown["version"]), locale=shown["locale"])
