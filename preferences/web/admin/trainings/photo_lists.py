"""The list for the photographer, and the check of names before something is published."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.eligibility import Allowed
from preferences.domain.errors import InvalidValue
from preferences.domain.roles import Permission
from preferences.services.photos.photo_names import Checked, check_names
from preferences.services.photos.photos import Listed, photo_list
from preferences.services.photos.training_people import MOST_NAMES, read_names
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.guard import LONG_TEXTS, audited_read, needs, takes
from preferences.web.plumbing import utc_now

from .training_page import pasted, shown_name
from .trainings import existing_training, training_target


@blueprint.get("/trainings/<int:training_id>/photo-list")
@access(Access.STAFF)
@needs(Permission.SEE_TRAININGS)
def training_photo_list(training_id: int) -> str:
    """Everybody on the training with name and image apart: on paper, or on a telephone."""
    training, now = existing_training(training_id), utc_now()
    with audited_read(AuditAction.PHOTO_LIST_SEEN, training_target(training_id)) as session:
        found = photo_list(session, training_id, at=now, asked_at=now)
    return render_template(
        "admin/trainings/photo_list.html",
        one=training,
        found=found,
        no_image=[one for one in found if not isinstance(one.may.image, Allowed)],
        no_name=[one for one in found if not isinstance(one.may.name, Allowed)],
        name=lambda one: shown_name(one.person),
        now=now,
        allowed=_allowed,
    )


@blueprint.get("/trainings/<int:training_id>/check")
@access(Access.STAFF)
@needs(Permission.SEE_TRAININGS)
def check_photos(training_id: int) -> Response:
    """The form: names or addresses."""
    return _check_page(training_id)


@blueprint.post("/trainings/<int:training_id>/check")
@access(Access.STAFF)
@needs(Permission.SEE_TRAININGS)
@takes(LONG_TEXTS)
def answer_check(training_id: int) -> Response:
    """Who of them may be published, as of this moment. Nothing changes; by POST, so that no name stands in a log."""
    existing_training(training_id)
    text, now = pasted("who"), utc_now()
    try:
        names = read_names(text)
    except InvalidValue:
        return _check_page(training_id, text=text, problem="many")
    if not names:
        return _check_page(training_id, problem="nobody")
    with audited_read(AuditAction.PHOTOS_CHECKED, training_target(training_id), names=len(names)) as session:
        found = check_names(session, training_id, names, at=now, asked_at=now)
    return _check_page(training_id, text=text, found=found)


def _check_page(training_id: int, *, text: str = "", problem: str = "", found: list[Checked] | None = None) -> Response:
    page = render_template(
        "admin/trainings/photo_check.html",
        one=existing_training(training_id),
        text=text,
        problem=problem,
        found=found,
        stopped=[one for one in found or () if not _is_free(one)],
        unsure=[one for one in found or () if _is_free(one) and not one.is_sure],
        name=lambda one: shown_name(one.person) if one.person else one.written,
        allowed=_allowed,
        most=MOST_NAMES,
        now=utc_now(),
    )
    return make_response(page, 422 if problem else 200)


def _is_free(one: Checked | Listed) -> bool:
    return _allowed(one.may.name) and _allowed(one.may.image)


def _allowed(decision: Any) -> bool:
    return isinstance(decision, Allowed)
