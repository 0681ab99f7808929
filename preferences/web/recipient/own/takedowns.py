"""`/me/takedowns`: ask that something published goes, and follow it to its end.

Asking for that is one thing, saying no to what may be published from now on another: both stand on the page, and the second
is ticked by the person or not at all.
"""

from __future__ import annotations

import structlog
from flask import abort, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.answer import Answer
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.photo import PHOTO_IMAGE, PHOTO_NAME, TakedownNotTaken, TakedownWhat
from preferences.domain.purpose import About
from preferences.models.transaction import reading, transaction
from preferences.queries.choices.preference_page import preference_page
from preferences.queries.photos.takedowns import takedown_of, takedowns_of
from preferences.queries.photos.trainings import trainings_of
from preferences.services.choices.preferences import save_choices
from preferences.services.photos.takedown import request_takedown
from preferences.services.rights.rights import lock_recipient
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import utc_now
from preferences.web.recipient import blueprint
from preferences.web.recipient.choices.photo_view import Shown, shown_control, training_label
from preferences.web.recipient.choices.preference_form import read_answers
from preferences.web.session import current_recipient

from .takedown_form import WHAT_FIELD, Typed, read_typed

log = structlog.get_logger()

PATH = "/me/takedowns"
MOST_TRAININGS = 100
OFFERED = (PHOTO_NAME, PHOTO_IMAGE)


@blueprint.get(PATH)
@access(Access.STEP_UP)
def own_takedowns() -> str:
    """What the person asked to have removed, and the form for more."""
    return _page(Typed())


@blueprint.post(PATH)
@access(Access.STEP_UP)
def ask_for_takedown() -> Response | tuple[str, int]:
    """Take it; a receipt goes to the mailbox. A form sent twice is one takedown."""
    with transaction() as session:
        mine = [one.id for one in trainings_of(session, current_recipient().id, limit=MOST_TRAININGS)]
        typed = read_typed(request.form, trainings=mine, purposes=OFFERED)
        outcome = None if typed.errors else _ask(session, typed)
    if outcome is None:
        return _page(typed), 422
    if isinstance(outcome, TakedownNotTaken):
        return _page(typed, refused=_in_words(outcome)), 429
    log.info("takedown_requested", what=typed.what)
    return redirect(keeping_language(f"{PATH}/{outcome}"), code=303)


@blueprint.get("/me/takedowns/<reference>")
@access(Access.STEP_UP)
def own_takedown(reference: str) -> str:
    """One takedown with its state and our answer. Somebody else's is not there."""
    me = current_recipient()
    with reading() as session:
        found = takedown_of(session, me.id, reference)
        if found is None:
            abort(404)
        answers = _answers(session)
    label = training_label(found.training) if found.training else ""
    return render_template("recipient/own/takedown.html", one=found, training=label, answers=answers)


def _ask(session: Session, typed: Typed) -> str | TakedownNotTaken:
    me, locale, now = current_recipient(), request_locale(), utc_now()
    outcome = request_takedown(session, me, typed.as_new(), locale=locale, now=now)
    if isinstance(outcome, str) and lock_recipient(session, me.id) is RecipientStatus.ACTIVE:
        answers = read_answers(session, dict(typed.objections), about={About.PUBLICATION})
        changes = [one.change for one in answers if one.is_changed]
        save_choices(session, me, changes, locale=locale, now=now)
    return outcome


def _page(typed: Typed, *, refused: str = "") -> str:
    me = current_recipient()
    with reading() as session:
        takedowns = takedowns_of(session, me.id)
        trainings = trainings_of(session, me.id, limit=MOST_TRAININGS)
        offers = _offers(session)
    return render_template(
        "recipient/own/takedowns.html",
        takedowns=takedowns,
        typed=typed,
        whats=tuple(TakedownWhat),
        what_field=WHAT_FIELD,
        trainings=[(one.id, training_label(one)) for one in trainings],
        offers=offers,
        refused=refused,
    )


def _answers(session: Session) -> list[Shown]:
    """What may be published of the person from now on, in general."""
    page = preference_page(session, current_recipient(), at=utc_now())
    found = [one for control in page.controls for one in (control, *control.topics)]
    return [shown_control(one) for one in found if one.purpose.key in OFFERED]


def _offers(session: Session) -> list[Shown]:
    """What can be said no to here. Nothing while the person's data is blocked."""
    if current_recipient().status is not RecipientStatus.ACTIVE:
        return []
    return [shown for shown in _answers(session) if shown.one.answer == Answer.YES]


def _in_words(why: TakedownNotTaken) -> str:
    match why:
        case TakedownNotTaken.TOO_MANY_OPEN:
            return str(gettext("Many of your requests wait for our answer. Write to us by email about the rest."))
        case TakedownNotTaken.TOO_MANY_TODAY:
            return str(gettext("You have asked for a lot today. Try again tomorrow, or write to us by email."))
    return str(gettext("Your data has been erased meanwhile."))
