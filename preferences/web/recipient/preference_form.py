"""What a POST to the preference centre says. The form names the set that it rendered and the state it showed (T17).

Everything is bounded and checked; what no page of ours can have sent is answered with 400 and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from flask import Request, abort
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from preferences.domain.answer import Answer
from preferences.domain.purpose import About, NoticeVersionId, PurposeId
from preferences.queries.notices import notice_exists
from preferences.queries.purposes import catalogue
from preferences.services.preferences import Change
from preferences.services.unsubscribe import NOTHING_SHOWN, Shown

MOST_BYTES = 64 * 1024
MOST_FIELDS = 600
"""Two for each purpose and topic; far more than a page a person could read."""

_FIELD = re.compile(r"(?P<kind>shown|answer)-(?P<key>[a-z][a-z0-9_]{0,63})", re.ASCII)
_SHOWN = re.compile(r"(?P<answer>yes|no|unset)\.(?P<version>[1-9][0-9]{0,8})\.(?P<locale>[A-Za-z_]{2,16})", re.ASCII)
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
class Posted:
    """A form of ours, its fields by name, each at most once."""

    action: Action
    fields: dict[str, str]


def is_stop(request: Request) -> bool:
    """Whether «stop everything» was pressed: that is never limited."""
    request.max_content_length = MOST_BYTES
    return request.form.get("action") == Action.STOP


def read_form(request: Request) -> Posted:
    """The posted form. Answers 400 or 413 for anything that is not one of ours."""
    request.max_content_length = MOST_BYTES
    form: MultiDict[str, str] = request.form
    fields = form.to_dict()
    if request.files or len(fields) > MOST_FIELDS or any(len(values) > 1 for _, values in form.lists()):
        abort(400)
    try:
        return Posted(Action(fields.pop("action", "")), fields)
    except ValueError:
        abort(400)


def read_changes(session: Session, fields: dict[str, str]) -> list[Change]:
    """The controls whose answer differs from what the page showed, in the order sent. Raises UnknownPurpose; answers 400.

    A control without an answer says nothing: absent never means off (T17).
    """
    return list(_changes(session, fields))


def read_shown(session: Session, text: str) -> Shown:
    """The wording that stood beside «stop everything», if it can have been shown at all (L2)."""
    found = _NOTICE.fullmatch(text)
    everything = catalogue(session).everything().purpose
    if found is None or not _was_published(session, everything.id, found):
        return NOTHING_SHOWN
    return Shown(NoticeVersionId(int(found["version"])), found["locale"])


def _changes(session: Session, fields: dict[str, str]) -> Iterator[Change]:
    known = catalogue(session)
    for name, value in fields.items():
        field = _FIELD.fullmatch(name)
        if field is None or (field["kind"] == "shown" and not _SHOWN.fullmatch(value)):
            abort(400)
        purpose = known.by_key(field["key"]).purpose
        if purpose.about is About.EVERYTHING:
            abort(400)
        if field["kind"] == "shown":
            continue
        shown = _SHOWN.fullmatch(fields.get(f"shown-{field['key']}", ""))
        if shown is None or value not in {Answer.YES, Answer.NO}:
            abort(400)
        if value == shown["answer"]:
            continue
        if not _was_published(session, purpose.id, shown):
            abort(400)
        version = NoticeVersionId(int(shown["version"]))
        yield Change(replace(purpose, notice_version_id=version), Answer(value), shown["locale"])


def _was_published(session: Session, purpose_id: PurposeId, shown: re.Match[str]) -> bool:
    return notice_exists(session, purpose_id=purpose_id, version_id=int(shown["version"]), locale=shown["locale"])
