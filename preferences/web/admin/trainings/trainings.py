"""Trainings: those that come and those that are over; adding one and changing it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, make_response, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import InvalidValue
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.training_work import coming_trainings, notice_progress, past_trainings
from preferences.queries.photos.trainings import Training, training_by_id
from preferences.services.photos.trainings import TrainingChanged, add_training, change_training
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked_number, done, typed
from preferences.web.admin.guard import needs, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.dates import local_date
from preferences.web.plumbing import settings, utc_now

PROBLEMS = {
    "/title": lazy_gettext("Write a title of at most 200 characters: it stands in the notice."),
    "/place": lazy_gettext("The place can have at most 200 characters."),
    "/held_on": lazy_gettext("Choose the day, as in 2031-03-12."),
    "/first_language": lazy_gettext("Tick the language that is the first one too, or leave open which one it is."),
    "changed": lazy_gettext("Somebody else has changed the training meanwhile. What you wrote is still here."),
}
FIELDS = ("title", "place", "held_on", "languages")
FIRST = "first_language"
"""A field of the form alone: what is stored says it by the order of the languages."""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


@blueprint.get("/trainings")
@access(Access.STAFF)
@needs(Permission.SEE_TRAININGS)
def trainings() -> str:
    """Those to come, the next one first; below them those that are over, a page at a time."""
    today, before = local_date(utc_now()), asked_number(BEFORE)
    with reading() as session:
        coming = coming_trainings(session, today=today) if before is None else []
        past = past_trainings(session, today=today, before=before, limit=ROWS + 1)
    return render_template(
        "admin/trainings/trainings.html",
        coming=coming,
        page=page_of(past, lambda one: one.training.id),
        is_first=before is None,
        days_left=lambda day: (day - today).days,
    )


@blueprint.get("/trainings/new")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def new_training() -> Response:
    """The form for one more."""
    return _form_page(dict.fromkeys(FIELDS, ""))


@blueprint.post("/trainings/new")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def add_one() -> Response:
    """Add it, and go on to who takes part."""
    form = _typed()
    try:
        with transaction() as session:
            number = add_training(session, **_wanted(form), now=utc_now())
            record_audit(session, staff_id(), AuditAction.TRAINING_ADDED, training_target(number), now=utc_now())
    except InvalidValue as error:
        return _form_page(form, problem=error.pointer or "/title")
    return done("admin.training_page", "created", training_id=number)


@blueprint.get("/trainings/<int:training_id>/edit")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def edit_training(training_id: int) -> Response:
    """The form with what stands there now."""
    found = existing_training(training_id)
    return _form_page(_as_form(found), found=found)


@blueprint.post("/trainings/<int:training_id>/edit")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def change_it(training_id: int) -> Response:
    """Change it, unless somebody else did since the form was opened."""
    found, form = existing_training(training_id), _typed()
    try:
        day, languages = _day(typed("was_held_on")), _codes(typed("was_languages"))
        before = Training(training_id, typed("was_title"), typed("was_place"), day, languages)
        with transaction() as session:
            change_training(session, before, **_wanted(form), now=utc_now())
            target = training_target(training_id)
            record_audit(session, staff_id(), AuditAction.TRAINING_CHANGED, target, now=utc_now())
    except TrainingChanged:
        return _form_page(form, found=found, problem="changed")
    except InvalidValue as error:
        return _form_page(form, found=found, problem=error.pointer or "/title")
    return done("admin.training_page", "changed", training_id=training_id)


def existing_training(training_id: int) -> Training:
    """The training; 404 where there is none."""
    with reading() as session:
        found = training_by_id(session, training_id)
    if found is None:
        abort(404)
    return found


def training_target(training_id: int) -> AuditTarget:
    """The training as the audit names it."""
    return AuditTarget(AuditObject.TRAINING, training_id)


def _typed() -> dict[str, str]:
    chosen = [one for one in request.form.getlist("languages") if one in settings().locales]
    kept = [one for one in _codes(typed("was_languages")) if one in chosen]  # the first one stays the first
    first = typed(FIRST)
    ordered = sorted([*kept, *(one for one in chosen if one not in kept)], key=lambda one: one != first)
    return {**{name: typed(name) for name in FIELDS[:-1]}, "languages": ",".join(ordered), FIRST: first}


def _codes(text: str) -> tuple[str, ...]:
    return tuple(one for one in text.split(",") if one)


def _wanted(form: dict[str, str]) -> dict[str, Any]:
    """What the services take. Raises InvalidValue."""
    languages = _codes(form["languages"])
    if (
        form.get(FIRST) and form[FIRST] not in languages and len(languages) != 1
    ):  # of one, it is plain which comes first
        raise InvalidValue("The first language is one of the training's.", pointer="/" + FIRST)
    return {
        "title": form["title"],
        "place": form["place"],
        "held_on": _day(form["held_on"]),
        "languages": languages,
    }


def _as_form(found: Training) -> dict[str, str]:
    return {
        "title": found.title,
        "place": found.place,
        "held_on": found.held_on.isoformat(),
        "languages": ",".join(found.languages),
    }


def _day(text: str) -> date:
    """A day that somebody typed. Raises InvalidValue."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidValue("A day is written YYYY-MM-DD.", pointer="/held_on") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidValue("No training was held then.", pointer="/held_on")
    return day


def _form_page(form: dict[str, str], *, found: Training | None = None, problem: str = "") -> Response:
    told = 0
    if found is not None:
        with reading() as session:
            told = notice_progress(session, found.id).told
    page = render_template(
        "admin/trainings/training_form.html",
        form=form,
        found=found,
        was=_as_form(found) if found else {},
        wanted_day=_day(form["held_on"]) if problem == "changed" else None,
        told=told,
        action=request.path,
        locales=settings().locales,
        first=form[FIRST] if FIRST in form else form["languages"].split(",")[0],
        problem=(problem, PROBLEMS.get(problem, PROBLEMS["/title"])) if problem else None,
    )
    return make_response(page, 200 if not problem else 409 if problem == "changed" else 422)
