"""The notice before a training: looked at first, then put into the outbox for everybody who can be told."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.photos import told_before_a_training
from preferences.queries.photos.training_work import UNREACHABLE, notice_progress
from preferences.queries.purposes.purposes import catalogue
from preferences.services.photos.trainings import (
    Told,
    TrainingCancelled,
    TrainingOver,
    correct_notices,
    notify_participants,
)
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done
from preferences.web.admin.guard import needs, staff_id
from preferences.web.dates import local_date
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from .trainings import existing_training, training_target

MOST_PARTS = 10
"""Parts of 500 that one press of the button tells: what is left is told by the next."""


@blueprint.get("/trainings/<int:training_id>/notice")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def review_notice(training_id: int) -> str:
    """Who gets it, who does not and why, and what it says."""
    found = existing_training(training_id)
    with reading() as session:
        progress = notice_progress(session, training_id)
        told_of = told_before_a_training(catalogue(session))
    return render_template(
        "admin/trainings/training_notice.html",
        one=found,
        progress=progress,
        unreachable=[(state, progress.count(state)) for state in UNREACHABLE if progress.count(state)],
        texts=[one.text(request_locale(), settings().default_locale) for one in told_of],
        is_over=found.held_on < local_date(utc_now()),
    )


@blueprint.post("/trainings/<int:training_id>/notice")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def send_notice(training_id: int) -> Response:
    """Tell whoever has not been told, in parts that commit one by one: broken off, nobody is told twice."""
    return _send(training_id, notify_participants)


@blueprint.post("/trainings/<int:training_id>/notice/correct")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def correct_notice(training_id: int) -> Response:
    """Tell those who were told before the day or place was changed: never by itself, only when somebody asks for it."""
    return _send(training_id, correct_notices)


def tell_in_parts(training_id: int, tell: Callable[..., Told], action: AuditAction, **more: bool) -> tuple[int, Told]:
    """Tell in parts that commit one by one, each in the audit, as many as one press of a button does; how many were told.

    Raises as `tell` does.
    """
    enqueued, told = 0, Told(0, 0, is_done=False)
    for _ in range(MOST_PARTS):
        with transaction() as session:
            told = tell(session, training_id, now=utc_now())
            if told.enqueued:
                data = {"told": told.enqueued, **more}
                record_audit(session, staff_id(), action, training_target(training_id), data=data, now=utc_now())
        enqueued += told.enqueued
        if told.is_done:
            break
    return enqueued, told


def _send(training_id: int, tell: Callable[..., Told]) -> Response:
    existing_training(training_id)
    corrected = tell is correct_notices
    try:
        enqueued, told = tell_in_parts(training_id, tell, AuditAction.PHOTO_NOTICE_SENT, corrected=corrected)
    except (TrainingOver, TrainingCancelled) as error:
        what = "over" if isinstance(error, TrainingOver) else "is_cancelled"
        return done("admin.training_page", what, training_id=training_id)
    what = "nobody" if not enqueued else "told" if told.is_done else "part"
    return done("admin.training_page", what, training_id=training_id)
