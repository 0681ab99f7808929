"""What staff can do for one person: record what they said and take it back, send their link, block, erase."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, date, datetime, timedelta

from flask import make_response, render_template, request
from flask_babel import force_locale, gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.choice import EVERY_TRAINING
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import AnswerBy
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.trainings import trainings_among, trainings_of
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.on_behalf import OnBehalf, Said, act_on_behalf, undo_on_behalf
from preferences.services.recipients.asked_erasure import erase_by_staff, erasures_asked
from preferences.services.recipients.link_requests import LinkRequest, request_link_for
from preferences.services.rights.reach import way_to_answer
from preferences.services.rights.restriction import end_restriction, restrict
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import day_in_words, done, typed, typed_lines
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.dates import start_of_day
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from .recipients import existing, target_of

PROBLEMS = {
    "/reason": lazy_gettext("Write the reason: it stands in the audit."),
    "/proof": lazy_gettext("A yes needs proof: say where it can be found."),
    "/said": lazy_gettext("That cannot be recorded here. Ask the person's mailbox instead, or try again tomorrow."),
    "/told": lazy_gettext("Choose how they told us."),
    "/purpose": lazy_gettext("Choose what it is about."),
    "/training": lazy_gettext(
        "For one training only name and image can be answered, if the person is on it. Advertising is agreed to for all."
    ),
    "/occurred_on": lazy_gettext("This is no day in the past."),
    "held": lazy_gettext("The person has stopped this, and only their own mailbox can lift it: ask it."),
}
FIELDS = ("said", "purpose", "training", "told", "occurred_on", "reason", "proof", "wording")
TOLD = {
    "phone": lazy_gettext("By telephone"),
    "letter": lazy_gettext("By letter"),
    "mail": lazy_gettext("By email"),
    "in_person": lazy_gettext("In person"),
    "form": lazy_gettext("On a form"),
    "other": lazy_gettext("In another way"),
}
"""How a person told us; its words are kept as evidence, in the organisation's language."""
MOST_TRAININGS = 200
_FORM = re.compile(r"[0-9a-f]{16}", re.ASCII)


@blueprint.get("/recipients/<public_id>/act")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def show_act(public_id: str) -> Response:
    """The form."""
    return _act_page(existing(public_id))


@blueprint.post("/recipients/<public_id>/act")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def act_for(public_id: str) -> Response:
    """Record what the person said, as done by staff; or have their mailbox asked."""
    found, now = existing(public_id), utc_now()
    try:
        with transaction() as session:
            wanted = _wanted(session, found, now)
            outcome = act_on_behalf(
                session, found, wanted, staff_id=staff_id(), locale=found.locale or settings().default_locale, now=now
            )
    except PreferencesError as error:
        return _act_page(found, problem="held" if error.code == "held" else error.pointer or "/said")
    return done("admin.recipient_page", outcome.value, public_id=public_id)


@blueprint.post("/recipients/<public_id>/undo")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def undo_act(public_id: str) -> Response:
    """Take back what one has just recorded oneself."""
    found, now, entry = existing(public_id), utc_now(), typed("entry", most=19)
    number = int(entry) if entry.isascii() and entry.isdigit() else 0
    with transaction() as session:
        is_undone = undo_on_behalf(session, found, number, staff_id=staff_id(), now=now)
    return done("admin.recipient_page", "undone" if is_undone else "too-late", public_id=public_id)


@blueprint.post("/recipients/<public_id>/link")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def send_link(public_id: str) -> Response:
    """Mail them a link to their own page."""
    found, now = existing(public_id), utc_now()
    with transaction() as session:
        locale = found.locale or settings().default_locale
        outcome = request_link_for(session, found.id, locale=locale, now=now)
        record_audit(session, staff_id(), AuditAction.LINK_SENT, target_of(found), data={"outcome": outcome}, now=now)
    what = "link" if outcome is LinkRequest.MAILED else "link-limited"
    return done("admin.recipient_page", what, public_id=public_id)


@blueprint.post("/recipients/<public_id>/restrict")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def restrict_them(public_id: str) -> Response:
    """Block their data, or end the block, at their request (GDPR 18)."""
    found, now = existing(public_id), utc_now()
    locale, ends = found.locale or settings().default_locale, request.form.get("end") == "1"
    with transaction() as session:
        outcome = (end_restriction if ends else restrict)(session, found.id, locale=locale, now=now)
        data = {"ended": ends, "done": isinstance(outcome, str)}
        record_audit(session, staff_id(), AuditAction.RECIPIENT_RESTRICTED, target_of(found), data=data, now=now)
    what = ("unrestricted" if ends else "restricted") if outcome else "nothing"
    return done("admin.recipient_page", what, public_id=public_id)


@blueprint.get("/recipients/<public_id>/erase")
@access(Access.STAFF)
@needs(Permission.ERASE_RECIPIENTS)
@fresh
def ask_to_erase(public_id: str) -> Response:
    """What will happen, before it does."""
    return _erase_page(existing(public_id))


@blueprint.post("/recipients/<public_id>/erase")
@access(Access.STAFF)
@needs(Permission.ERASE_RECIPIENTS)
@fresh
def erase_them(public_id: str) -> Response:
    """Erase everything personal; needs a reason."""
    found, now, reason = existing(public_id), utc_now(), typed("reason")
    if not reason:
        return _erase_page(found, problem=gettext("Write the reason: it stands in the audit."))
    with transaction() as session:
        way = erase_by_staff(session, found, reason=reason, staff_id=staff_id(), now=now)
    return done("admin.recipient_page", "erased" if way is None else f"erased-{way}", public_id=public_id)


def _wanted(session: Session, found: RecipientView, now: datetime) -> OnBehalf:
    """What the form says. Raises InvalidValue with the field that is wrong."""
    said = request.form.get("said", "")
    if said not in [*Said]:
        raise InvalidValue("Choose what was said.", pointer="/said")
    known = catalogue(session)
    number = request.form.get("purpose", "")
    described = known.by_id(int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else None
    if described is None and said != Said.STOP_EVERYTHING:
        raise InvalidValue("Choose the purpose.", pointer="/purpose")
    return OnBehalf(
        said=Said(said),
        purpose=(described or known.everything()).purpose,
        occurred_at=_day(request.form.get("occurred_on", ""), now),
        reason=typed_lines("reason"),
        told=_told(request.form.get("told", "")),
        proof=typed_lines("proof"),
        wording=typed_lines("wording"),
        training_id=_training(session, found),
        form=_form_name(),
    )


def _training(session: Session, found: RecipientView) -> int:
    """The training that the form names, of those that the person is on. Raises InvalidValue."""
    text = request.form.get("training", "")
    if not text:
        return EVERY_TRAINING
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else EVERY_TRAINING
    if not trainings_among(session, found.id, {number}):
        raise InvalidValue("The person is not on this training.", pointer="/training")
    return number


def _told(code: str) -> str:
    with force_locale(settings().default_locale):
        return str(TOLD.get(code, ""))


def _form_name() -> str:
    """What names this form; empty for what no page of ours has made up."""
    name = request.form.get("form", "")
    return name if _FORM.fullmatch(name) else ""


def _day(text: str, now: datetime) -> datetime:
    """Noon of a day in the past; now for today and for nothing typed."""
    if not text.strip():
        return now
    try:
        start = start_of_day(date.fromisoformat(text.strip()[:10]))
    except (ValueError, OverflowError):
        raise InvalidValue("This is no day.", pointer="/occurred_on") from None
    if start > now or start < datetime(2000, 1, 1, tzinfo=UTC):
        raise InvalidValue("This is no day in the past.", pointer="/occurred_on")
    return min(now, start + timedelta(hours=12))


def _act_page(found: RecipientView, *, problem: str = "") -> Response:
    with reading() as session:
        known = catalogue(session)
        trainings = trainings_of(session, found.id, limit=MOST_TRAININGS)
    locale, default = request_locale(), settings().default_locale
    purposes = [
        (str(one.purpose.id), one.text(locale, default).title)
        for one in known.all()
        if not one.purpose.is_archived and one.purpose.id != known.everything().purpose.id
    ]
    page = render_template(
        "admin/recipients/recipient_act.html",
        one=found,
        purposes=purposes,
        trainings=[(str(one.id), f"{one.title}, {day_in_words(one.held_on)}") for one in trainings],
        told=list(TOLD.items()),
        form=_form_name() or secrets.token_hex(8),
        typed={name: typed_lines(name) for name in FIELDS},
        problem=(problem, PROBLEMS.get(problem, PROBLEMS["/said"])) if problem else None,
    )
    return make_response(page, 200 if not problem else 409 if problem == "held" else 422)


def _erase_page(found: RecipientView, *, problem: str = "") -> Response:
    base = f"/admin/recipients/{format_recipient_id(found.id)}"
    page = render_template(
        "admin/are_you_sure.html",
        title=gettext("Erase this person?"),
        happens=[
            gettext("Address, name, profile, evidence and everything they wrote is erased at once."),
            gettext("A coded note of the address stays, so that nobody writes to them again. It cannot be read."),
            gettext("The ledger keeps that a person without a name chose something. It cannot be undone."),
            *_answered(found),
        ],
        action=f"{base}/erase",
        button=gettext("Erase for good"),
        back=base,
        fields={"back": f"{base}/erase"},
        reason="required",
        problem=problem,
    )
    return make_response(page, 422 if problem else 200)


def _answered(found: RecipientView) -> list[str]:
    """What comes of their own requests to be erased."""
    with reading() as session:
        waiting = erasures_asked(session, found)
        way = way_to_answer(session, waiting[0]) if waiting else None
    answered = [gettext("Their request %(reference)s is answered as done.", reference=one.reference) for one in waiting]
    if way is AnswerBy.LETTER:
        answered.append(
            gettext("No mail reaches them. Erase from the request instead: there the letter is printed first.")
        )
    return answered
