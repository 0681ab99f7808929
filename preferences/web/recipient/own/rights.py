"""`/me/requests`: what a person asks of us, with reference and due date; `/me/restrict`: blocking data (GDPR 12, 18, 21)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.rights import (
    ASKED_IN_WORDS,
    MOST_DETAILS,
    OPEN_STATES,
    NotTaken,
    RightsKind,
)
from preferences.domain.text import is_storable
from preferences.models.transaction import reading, transaction
from preferences.queries.own_data.own_data import own_requests
from preferences.queries.rights.rights import requests_by_reference
from preferences.services.rights.restriction import end_restriction, restrict
from preferences.services.rights.rights import take_request, withdraw_request
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient

from .view import with_query

log = structlog.get_logger()

NEW = "new"
"""In the query of the page of requests: what was just asked for, to be told first."""
MOST_TOLD = 3


@blueprint.get("/me/requests")
@access(Access.STEP_UP)
def own_requests_page() -> str:
    """Everything asked for, newest first, and the form for something in one's own words."""
    return _page()


@blueprint.post("/me/requests")
@access(Access.STEP_UP)
def ask_of_us() -> Response | tuple[str, int]:
    """Take a request; a receipt with reference and due date goes to the mailbox."""
    kind, text = request.form.get("kind", ""), _tidy(request.form.get("text", ""))
    errors = _errors(kind, text)
    if errors:
        return _page(kind=kind, text=text, errors=errors), 422
    with transaction() as session:
        taken = take_request(
            session,
            current_recipient().id,
            RightsKind(kind),
            details={"text": text},
            locale=request_locale(),
            now=utc_now(),
        )
    if isinstance(taken, NotTaken):
        return _page(kind=kind, text=text, refused=not_taken_in_words(taken)), 429
    log.info("rights_request_taken", kind=kind)
    return redirect(to_requests([taken.reference]), code=303)


@blueprint.post("/me/requests/<reference>/withdraw")
@access(Access.STEP_UP)
def withdraw(reference: str) -> Response:
    """Take back an own request. Where it was answered meanwhile, the page says so."""
    with transaction() as session:
        done = withdraw_request(session, current_recipient().id, reference, now=utc_now())
    log.info("rights_request_withdrawn", done=done)
    return redirect(to_requests([reference]), code=303)


@blueprint.get("/me/restrict")
@access(Access.STEP_UP)
def own_restriction() -> str:
    """What blocking means; or that the data is blocked, and how that ends."""
    return render_template("recipient/own/restrict.html", recipient=current_recipient())


@blueprint.post("/me/restrict")
@access(Access.STEP_UP)
def change_restriction() -> Response | tuple[str, int]:
    """Block or unblock, at once. A button pressed twice, or in an old tab, does nothing more."""
    me, now, locale, action = current_recipient().id, utc_now(), request_locale(), request.form.get("action")
    with transaction() as session:
        done: str | NotTaken | None = None
        if action == "restrict":
            done = restrict(session, me, locale=locale, now=now)
        elif action == "end":
            done = end_restriction(session, me, locale=locale, now=now)
    if isinstance(done, NotTaken):
        page = render_template(
            "recipient/own/restrict.html", recipient=current_recipient(), refused=not_taken_in_words(done)
        )
        return page, 429
    return redirect(to_requests([done]) if done else keeping_language("/me/restrict"), code=303)


def to_requests(references: Sequence[str]) -> str:
    """The page of requests that first tells what became of these, read back from the database (T19)."""
    path = keeping_language("/me/requests")
    for reference in references:
        path = with_query(path, NEW, reference)
    return path


def not_taken_in_words(why: NotTaken) -> str:
    """Why nothing was stored, and what to do instead."""
    match why:
        case NotTaken.TOO_MANY_OPEN:
            return str(gettext("Several of your requests wait for our answer. Take one back, or write to us by email."))
        case NotTaken.TOO_MANY_TODAY:
            return str(gettext("You have asked for a lot today. Try again tomorrow, or write to us by email."))
    return str(gettext("Your data has been erased meanwhile."))


def _page(*, kind: str = "", text: str = "", errors: Sequence[tuple[str, str]] = (), refused: str = "") -> str:
    me, new = current_recipient(), request.args.getlist(NEW)[:MOST_TOLD]
    with reading() as session:
        told = sorted(requests_by_reference(session, me.id, new), key=lambda one: new.index(one.reference))
        requests = own_requests(session, me)
    return render_template(
        "recipient/own/requests.html",
        recipient=me,
        told=told,
        requests=requests,
        open_states=OPEN_STATES,
        kinds=ASKED_IN_WORDS,
        kind=kind,
        text=text[:MOST_DETAILS],
        errors=errors,
        refused=refused,
    )


def _errors(kind: str, text: str) -> list[tuple[str, str]]:
    found = []
    if kind not in {*ASKED_IN_WORDS}:
        found.append((f"field-kind-{ASKED_IN_WORDS[0]}", gettext("Choose what it is about.")))
    if not text:
        found.append(("field-text", gettext("Write in your own words what you want.")))
    elif len(text) > MOST_DETAILS:
        found.append(("field-text", gettext("Write at most %(most)s characters.", most=MOST_DETAILS)))
    return found


def _tidy(text: str) -> str:
    """Line ends alike, and nothing that no page may hold."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(one for one in lines if is_storable(one) and (one.isprintable() or one in "\n\t"))
