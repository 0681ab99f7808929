"""Step-up: from a link in a mail to own data, by way of the mailbox (T11, L6).

`POST /p/<token>/step-up` asks; the mail holds a link (`/s/<token>`) and a code (typed at `/s/<token>/code`). GET never opens
anything (M4), and whatever became of the asking the answer is the same.
"""

from __future__ import annotations

import structlog
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.capability import Capability, Claims
from preferences.domain.errors import BadToken
from preferences.domain.step_up import Origin, RequestState
from preferences.extensions import limiter
from preferences.models.transaction import reading, transaction
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.recipients.step_up import Opened, ask_step_up, open_by_code, open_by_link, state_of_link
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale, speak
from preferences.web.plumbing import signer, utc_now
from preferences.web.session import CLOSED, PATH, SIGN_OUT, UNSAVED, end_open_session, give_cookie, take_cookie_back

from . import blueprint

log = structlog.get_logger()

ASKED_PER_HOUR = "30 per hour"
"""For one client; a whole company may stand behind one address. What one person gets is limited by the service (T27)."""
TRIED_PER_HOUR = "60 per hour"


@blueprint.post("/p/<token>/step-up")
@access(Access.TOKEN)
@limiter.limit(ASKED_PER_HOUR)
def ask(token: str) -> Response:
    """Mail a link and a code to the address on file, and lead to the field for the code."""
    claims = signer().open(token, Capability.PREFERENCES)
    return _ask(token, claims, Origin(claims.purpose_id, claims.reference, claims.issued_at))


@blueprint.post("/s/<token>/again")
@access(Access.TOKEN)
@limiter.limit(ASKED_PER_HOUR)
def ask_again(token: str) -> Response:
    """The same from a link that is used up or too old: no dead end (D8)."""
    claims = _either(token)
    told = claims.capability is Capability.PREFERENCES
    return _ask(token, claims, Origin(claims.purpose_id, claims.reference, claims.issued_at) if told else Origin())


@blueprint.get("/s/<token>/code")
@access(Access.TOKEN)
def code_field(token: str) -> str:
    """The field for the code. Shows nothing of the person but the masked address."""
    return render_template("recipient/step_up_code.html", token=token, address=_masked(_either(token)), problem=None)


@blueprint.post("/s/<token>/code")
@access(Access.TOKEN)
@limiter.limit(TRIED_PER_HOUR)
def open_with_code(token: str) -> Response | tuple[str, int]:
    """Open own data with the code from the newest mail."""
    claims = _either(token)
    typed = request.form.get("code", "")
    with transaction() as session:
        found = open_by_code(session, claims.recipient_id, typed, now=utc_now())
    if isinstance(found, Opened):
        return _to_own_data(found)
    problem = "over" if found is not RequestState.OPEN else "wrong" if typed.strip() else "empty"
    log.info("step_up_code_refused", state=found, problem=problem)
    return render_template("recipient/step_up_code.html", token=token, address=_masked(claims), problem=problem), 422


@blueprint.get("/s/<token>")
@access(Access.TOKEN)
def step_up_link(token: str) -> str:
    """The button that opens own data. Whoever opens the link, person or scanner, changes nothing (M4)."""
    claims = signer().open(token, Capability.STEP_UP)
    with reading() as session:
        state = state_of_link(session, claims, now=utc_now())
    return _page(token, claims, state)


@blueprint.post("/s/<token>")
@access(Access.TOKEN)
@limiter.limit(TRIED_PER_HOUR)
def open_with_link(token: str) -> Response | str:
    """Open own data, once. A POST that is not our button's, or that another site sent, shows the page instead."""
    claims = signer().open(token, Capability.STEP_UP)
    if request.form.get("open") != "1" or request.headers.get("Sec-Fetch-Site") == "cross-site":
        return step_up_link(token)
    with transaction() as session:
        found = open_by_link(session, claims, now=utc_now())
    return _to_own_data(found) if isinstance(found, Opened) else _page(token, claims, found)


@blueprint.post(SIGN_OUT)
@access(Access.STEP_UP)
def sign_out() -> Response:
    """Close own data on this device."""
    with transaction() as session:
        end_open_session(session)
    return take_cookie_back(redirect(keeping_language(CLOSED), code=303))


@blueprint.get(CLOSED)
@access(Access.PUBLIC)
def closed() -> str:
    """Says how own data is opened: after signing out, after half an hour, or for a visitor who never had it open."""
    return render_template("recipient/step_up_closed.html", unsaved=UNSAVED in request.args)


def _ask(token: str, claims: Claims, origin: Origin) -> Response:
    _masked(claims)
    with transaction() as session:
        outcome = ask_step_up(session, claims.recipient_id, origin=origin, locale=request_locale(), now=utc_now())
    log.info("step_up_asked", outcome=outcome)
    return redirect(keeping_language(f"/s/{token}/code"), code=303)


def _either(token: str) -> Claims:
    """Whose code is typed: told by the link the person came from, or by an earlier step-up link. Raises BadToken."""
    try:
        return signer().open(token, Capability.PREFERENCES)
    except BadToken:
        return signer().open(token, Capability.STEP_UP)


def _to_own_data(opened: Opened) -> Response:
    return give_cookie(redirect(keeping_language(PATH), code=303), opened.secret)


def _page(token: str, claims: Claims, state: RequestState) -> str:
    return render_template("recipient/step_up.html", token=token, address=_masked(claims), state=state)


def _masked(claims: Claims) -> str:
    """The masked address; from here on the request speaks the recipient's language. Empty for someone erased."""
    with reading() as session:
        recipient: RecipientView | None = recipient_by_id(session, claims.recipient_id)
    if recipient is None:
        return ""
    speak(recipient.locale)
    return recipient.masked_address if recipient.address else ""
