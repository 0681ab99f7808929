"""Cancelling a training and saying that it takes place after all: looked at first, then told to those who are concerned."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template, request
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.photo import CancellationFor
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.cancelled import count_told_of_cancellation
from preferences.queries.photos.training_work import NoticeState, reachable_by_notice
from preferences.services.photos.cancelling import (
    cancel_training,
    resume_training,
    tell_it_is_cancelled,
    tell_it_takes_place,
)
from preferences.services.photos.trainings import Told, TrainingCancelled, TrainingOver
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done
from preferences.web.admin.guard import needs, staff_id
from preferences.web.dates import local_date
from preferences.web.plumbing import utc_now

from .training_notice import tell_in_parts
from .trainings import existing_training, training_target

TOLD = (NoticeState.SENT, NoticeState.TOLD, NoticeState.NOT_SENT)
UNTOLD = (NoticeState.READY, NoticeState.WAITING)


@blueprint.get("/trainings/<int:training_id>/cancel")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def ask_to_cancel_training(training_id: int) -> str:
    """What happens, who is told, and the choice whether those are who have had no notice."""
    found = existing_training(training_id)
    with reading() as session:
        reached = reachable_by_notice(session, training_id)
    return render_template(
        "admin/trainings/training_cancel.html",
        one=found,
        told=reached.count(*TOLD),
        untold=reached.count(*UNTOLD),
        waiting=reached.count(NoticeState.WAITING),
        is_over=found.held_on < local_date(utc_now()),
    )


@blueprint.post("/trainings/<int:training_id>/cancel")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def cancel_it(training_id: int) -> Response:
    """Cancel it, then tell those whom the mail is for; pressed twice, it is cancelled once."""
    existing_training(training_id)
    tells = CancellationFor.EVERYBODY if request.form.get("untold") == "yes" else CancellationFor.TOLD
    try:
        with transaction() as session:
            kept = cancel_training(session, training_id, tells, now=utc_now())
            data = {"tells": tells.value, "kept_back": kept}
            target = training_target(training_id)
            record_audit(session, staff_id(), AuditAction.TRAINING_CANCELLED, target, data=data, now=utc_now())
    except TrainingOver:
        return done("admin.training_page", "over", training_id=training_id)
    except TrainingCancelled:
        return done("admin.training_page", "cancelled_before", training_id=training_id)
    return _tell(training_id, tell_it_is_cancelled, "cancelled")


@blueprint.post("/trainings/<int:training_id>/cancel/tell")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def tell_of_cancellation(training_id: int) -> Response:
    """Tell those whom the mail is for and who have not been told yet."""
    existing_training(training_id)
    return _tell(training_id, tell_it_is_cancelled, "")


@blueprint.get("/trainings/<int:training_id>/take-place")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def ask_to_resume_training(training_id: int) -> str:
    """What happens when it takes place after all, and who is told."""
    found = existing_training(training_id)
    with reading() as session:
        told = count_told_of_cancellation(session, training_id)
    is_over = found.held_on < local_date(utc_now())
    return render_template("admin/trainings/training_resume.html", one=found, told=told, is_over=is_over)


@blueprint.post("/trainings/<int:training_id>/take-place")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def resume_it(training_id: int) -> Response:
    """Say that it takes place, then tell those who were told otherwise."""
    found = existing_training(training_id)
    try:
        with transaction() as session:
            kept = resume_training(session, training_id, now=utc_now())
            if found.cancelled_at is not None:
                target, data = training_target(training_id), {"kept_back": kept}
                record_audit(session, staff_id(), AuditAction.TRAINING_RESUMED, target, data=data, now=utc_now())
    except TrainingOver:
        return done("admin.training_page", "over", training_id=training_id)
    return _tell(training_id, tell_it_takes_place, "resumed")


@blueprint.post("/trainings/<int:training_id>/take-place/tell")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def tell_of_taking_place(training_id: int) -> Response:
    """Tell those who still know it as cancelled."""
    existing_training(training_id)
    return _tell(training_id, tell_it_takes_place, "")


def _tell(training_id: int, tell: Callable[..., Told], what: str) -> Response:
    """Tell in parts, and say what was done; `what` is said where nobody was to be told, or everybody has been."""
    try:
        if tell is tell_it_is_cancelled:
            enqueued, told = tell_in_parts(training_id, tell, AuditAction.CANCELLATION_SENT)
        else:
            enqueued, told = tell_in_parts(training_id, tell, AuditAction.PHOTO_NOTICE_SENT, resumed=True)
    except TrainingOver:
        return done("admin.training_page", "over", training_id=training_id)
    if not enqueued:
        return done("admin.training_page", what or "nobody", training_id=training_id)
    said = (f"{what}_told" if what else "mailed") if told.is_done else "part_mailed"
    return done("admin.training_page", said, training_id=training_id)
