"""One training: who takes part and who has been told; people put on its list and taken off it."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.address import mask_address, parse_domain
from preferences.domain.audit import AuditAction
from preferences.domain.capability import RecipientId
from preferences.domain.errors import InvalidValue
from preferences.domain.recipient_id import format_recipient_id, read_recipient_id
from preferences.domain.roles import Permission
from preferences.models.transaction import transaction
from preferences.queries.photos.cancelled import count_who_know_it_as_cancelled
from preferences.queries.photos.training_work import (
    UNREACHABLE,
    About,
    NoticeState,
    ParticipantLine,
    notice_progress,
    participant_lines,
)
from preferences.queries.photos.trainings import count_told_before_it_moved, those_on
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id, recipients_by_domain
from preferences.services.photos.training_people import MOST_NAMES, find_people, read_names
from preferences.services.photos.trainings import TrainingCancelled, put_on_training, take_off_training
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_number, done, said, typed
from preferences.web.admin.guard import LONG_TEXTS, audited_read, needs, shown_address, staff_id, staff_may, takes
from preferences.web.admin.paging import BEFORE, page_of
from preferences.web.admin.words.photos import not_sent_in_words
from preferences.web.dates import local_date
from preferences.web.plumbing import utc_now

from .trainings import existing_training, training_target

MESSAGES = {
    "created": lazy_gettext("The training is there. Now put those on the list who take part."),
    "changed": lazy_gettext("The training is changed."),
    "added": lazy_gettext("They are on the list. Nobody is told before you send the notice."),
    "already": lazy_gettext("Everybody of them was on the list already."),
    "removed": lazy_gettext("Taken off the list. What they chose stays as it is."),
    "gone": lazy_gettext("That person was not on the list any more."),
    "told": lazy_gettext("The notices are on their way. You can leave this page."),
    "part": lazy_gettext("The first notices are on their way. Send again for those who are left."),
    "over": lazy_gettext("The training is over: a notice before it comes too late."),
    "nobody": lazy_gettext("Nobody was left to tell."),
    "is_cancelled": lazy_gettext("The training is cancelled, so nobody is told of photos at it."),
    "cancelled": lazy_gettext("The training is cancelled. Nobody was to be told by mail."),
    "cancelled_told": lazy_gettext(
        "The training is cancelled. The mails are on their way, and you can leave this page."
    ),
    "cancelled_before": lazy_gettext("The training was cancelled already. Below stands who has been told."),
    "resumed": lazy_gettext("The training takes place. Nobody had been told otherwise by mail."),
    "resumed_told": lazy_gettext("The training takes place. The mails are on their way, and you can leave this page."),
    "mailed": lazy_gettext("The mails are on their way. You can leave this page."),
    "part_mailed": lazy_gettext("The first mails are on their way. Send again for those who are left."),
}
PEOPLE = 200
"""Participants on one page."""

MOST_OF_A_DOMAIN = 50


@blueprint.get("/trainings/<int:training_id>")
@access(Access.STAFF)
@needs(Permission.SEE_TRAININGS)
def training_page(training_id: int) -> str:
    """Who takes part, how far the notice has gone or that it is cancelled, and what can be done next."""
    found = existing_training(training_id)
    about = About.CANCELLATION if found.cancelled_at else About.PHOTOS
    with audited_read(AuditAction.RECIPIENTS_SEARCHED, training_target(training_id)) as session:
        lines = participant_lines(session, training_id, about, before=asked_number(BEFORE), limit=PEOPLE + 1)
        told = _told(session, training_id, about)
    page = page_of(lines, lambda one: one.recipient_id, rows=PEOPLE)
    today = local_date(utc_now())
    removed = asked("person")
    return render_template(
        "admin/trainings/training.html",
        one=found,
        page=page,
        people=sorted(page.rows, key=_by_name),
        name=shown_name,
        outcome=not_sent_in_words,
        is_over=found.held_on < today,
        days_left=(found.held_on - today).days,
        removed=removed if read_recipient_id(removed) is not None else "",
        done=said(MESSAGES),
        **told,
    )


@blueprint.get("/trainings/<int:training_id>/participants")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def add_participants_page(training_id: int) -> Response:
    """Paste them, or look for them."""
    return _add_page(training_id)


@blueprint.post("/trainings/<int:training_id>/participants")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
@takes(LONG_TEXTS)
def put_on_list(training_id: int) -> Response:
    """Put everybody named on the list, or nobody: who is not known is listed."""
    existing_training(training_id)
    text = pasted("who")
    try:
        names = read_names("\n".join([text, *request.form.getlist("person")]))
    except InvalidValue:
        return _add_page(training_id, text=text, problem="many")
    if not names:
        return _add_page(training_id, problem="nobody")
    try:
        with transaction() as session:
            people = find_people(session, names)
            added = 0 if people.unknown else put_on_training(session, training_id, people.found.values(), now=utc_now())
            if added:
                target, data = training_target(training_id), {"added": added}
                record_audit(session, staff_id(), AuditAction.PARTICIPANTS_CHANGED, target, data=data, now=utc_now())
    except TrainingCancelled:
        return _add_page(training_id, text="\n".join(names), problem="cancelled")
    if people.unknown:
        return _add_page(training_id, text=text, unknown=people.unknown, known=len(people.found))
    return done("admin.training_page", "added" if added else "already", training_id=training_id)


@blueprint.post("/trainings/<int:training_id>/participants/find")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def find_participants(training_id: int) -> Response:
    """Who has this address or id, or is at this domain; by POST, so that no address stands in a log."""
    wanted = typed("text", most=320)
    with audited_read(AuditAction.RECIPIENTS_SEARCHED, training_target(training_id)) as session:
        found = _search(session, wanted)
        on_it = those_on(session, training_id, {one.id for one in found})
    return _add_page(training_id, wanted=wanted, found=[(one, one.id in on_it) for one in found])


@blueprint.post("/trainings/<int:training_id>/participants/remove")
@access(Access.STAFF)
@needs(Permission.MANAGE_TRAININGS)
def take_off_list(training_id: int) -> Response:
    """Take one person off; the page offers to put them back."""
    existing_training(training_id)
    number = read_recipient_id(typed("person"))
    with transaction() as session:
        removed = 0 if number is None else take_off_training(session, training_id, RecipientId(number))
        if removed:
            target, data = training_target(training_id), {"removed": removed}
            record_audit(session, staff_id(), AuditAction.PARTICIPANTS_CHANGED, target, data=data, now=utc_now())
    if not removed or number is None:
        return done("admin.training_page", "gone", training_id=training_id)
    return done("admin.training_page", "removed", training_id=training_id, person=format_recipient_id(number))


def pasted(name: str) -> str:
    """A list that somebody pasted, with its lines and tabs and without what no page may hold."""
    text = request.form.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(one for one in text if one.isprintable() or one in "\n\t")


def shown_name(one: Any) -> str:
    """What a participant is called on a page, as whoever is signed in may see it."""
    if not staff_may(Permission.SEE_ADDRESSES):
        return mask_address(one.address) if one.address else format_recipient_id(one.recipient_id)
    return one.name or one.address or format_recipient_id(one.recipient_id)


def _told(session: Session, training_id: int, about: About) -> dict[str, Any]:
    """How far the mail has gone that is to be told now, and how many know something else than what is right."""
    progress = notice_progress(session, training_id, about)
    return {
        "progress": progress,
        "unreachable": [(state, progress.count(state)) for state in UNREACHABLE if progress.count(state)],
        "no_need": progress.count(NoticeState.NO_NEED),
        "moved": count_told_before_it_moved(session, training_id),
        "mistaken": count_who_know_it_as_cancelled(session, training_id),
    }


def _search(session: Any, wanted: str) -> list[RecipientView]:
    if not wanted:
        return []
    number = next(iter(find_people(session, [wanted]).found.values()), None)
    exact = recipient_by_id(session, number) if number is not None else None
    if exact is not None:
        return [exact]
    try:
        return recipients_by_domain(session, parse_domain(wanted.removeprefix("@")), limit=MOST_OF_A_DOMAIN)
    except InvalidValue:
        return []


def _add_page(
    training_id: int,
    *,
    text: str = "",
    problem: str = "",
    unknown: Any = (),
    known: int = 0,
    wanted: str = "",
    found: Any = None,
) -> Response:
    page = render_template(
        "admin/trainings/training_add.html",
        one=existing_training(training_id),
        text=text,
        problem=problem,
        unknown=unknown,
        known=known,
        wanted=wanted,
        found=found,
        address=shown_address,
        most=MOST_NAMES,
        most_found=MOST_OF_A_DOMAIN,
    )
    return make_response(page, 409 if problem == "cancelled" else 422 if problem or unknown else 200)


def _by_name(one: ParticipantLine) -> tuple[bool, str, int]:
    shown = one.name or one.address or ""
    return (not shown, shown.casefold(), one.recipient_id)
