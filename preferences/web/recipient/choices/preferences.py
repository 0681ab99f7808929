"""`/p/<token>`: the preference centre. GET shows, POST acts and answers 303 to a page that says what was stored (D15, T19).

The token is the only credential: no cookie, no session, no CSRF token to lose (T6). It may reduce anything at once; more than
now is asked of the mailbox (T11).
"""

from __future__ import annotations

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.extensions import limiter
from preferences.models.transaction import glancing, reading, transaction
from preferences.web.access import Access, access
from preferences.web.forms import PauseForm, messages
from preferences.web.plumbing import utc_now
from preferences.web.preference_view import render_less, render_preferences
from preferences.web.recipient import blueprint

from .acting import act
from .opened import Reach, open_page, open_preferences
from .preference_form import Action, is_stop, read_form
from .reason import question_about_save
from .receipt_by_mail import receipt_of_save
from .saved_page import saved_page

SAVES_PER_MINUTE = "60 per minute"
"""For one client. Never on stopping: nobody is too fast to say no (T27)."""


@blueprint.get("/p/<token>")
@access(Access.TOKEN)
def preferences(token: str) -> str:
    """Show where the person stands. Changes nothing (M4)."""
    now = utc_now()
    with glancing() as session:
        opened, page = open_page(session, token, now=now)
    if opened.reach is not Reach.FULL:
        return render_less(page, opened.reach, token)
    return render_preferences(page, token)


@blueprint.post("/p/<token>")
@access(Access.TOKEN)
@limiter.limit(SAVES_PER_MINUTE, exempt_when=lambda: is_stop(request))
def act_on_preferences(token: str) -> Response | tuple[str, int]:
    """Do what the pressed button says, and lead to the page that tells what was done."""
    posted = read_form(request)
    pause = PauseForm(request.form) if posted.action is Action.PAUSE else None
    if pause is not None and not pause.validate():
        return _wrong(token, pause)
    with transaction() as session:
        opened = open_preferences(session, token, now=(now := utc_now()))
        where_to = act(session, opened, posted, pause, now=now)
    return redirect(where_to, code=303)


@blueprint.get("/p/<token>/saved", defaults={"save": ""})
@blueprint.get("/p/<token>/saved/<save>")
@access(Access.TOKEN)
def saved(token: str, save: str) -> str:
    """What one save did, read back from the ledger; durable, and with undo while that lasts (D15)."""
    now = utc_now()
    with reading() as session:
        opened, page = open_page(session, token, now=now)
        told = saved_page(session, opened.reach, page, save, now=now)
        question = question_about_save(session, token, save, now=now)
        receipt = receipt_of_save(
            session, opened.recipient, opened.reach, save, is_limited=request.args.get("receipt") == "limited"
        )
    return render_template(
        "recipient/saved.html",
        opened=opened,
        told=told,
        limited="limited" in request.args,
        question=question,
        receipt=receipt,
        receipt_path=opened.path("saved", save, "receipt"),
    )


def _wrong(token: str, pause: PauseForm) -> tuple[str, int]:
    now = utc_now()
    with reading() as session:
        opened, page = open_page(session, token, now=now)
    if opened.reach is not Reach.FULL:
        return render_less(page, opened.reach, token), 422
    return render_preferences(page, token, pause_form=pause, errors=messages(pause)), 422
