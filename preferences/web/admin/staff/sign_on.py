"""Single sign-on: to the identity provider and back. What comes back is shown with a button and finished by a form.

The provider's answer is a GET from another site, and a GET changes nothing here; the session's cookie, which is
`SameSite=Strict`, is not even sent with it. The page's own form is from our site again.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

import structlog
from flask import abort, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.audit import StaffId
from preferences.domain.roles import Permission
from preferences.domain.single_sign_on import Errand, Round, SignOnRefused, Vouched, WhyNot
from preferences.domain.staff import SessionStage
from preferences.extensions import limiter
from preferences.integrations.oidc.provider import Provider, new_round
from preferences.models.transaction import transaction
from preferences.services.staff.single_sign_on import (
    confirm_with_identity,
    finish_round,
    refuse_sign_on,
    sign_in_with_identity,
)
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.cookie import give_cookie
from preferences.web.admin.guard import CONFIRM, HOME, SIGN_IN, SIGN_ON, find_session, needs, safe_next, with_next
from preferences.web.admin.identity_provider import RETURN, identity_provider
from preferences.web.locale import request_locale
from preferences.web.pages import static_address
from preferences.web.plumbing import utc_now

from .client import browser
from .round_cookie import forget_round, keep_round, kept_round

log = structlog.get_logger()

ROUNDS_PER_CLIENT = "30 per minute"
"""An office that comes to work shares an address; what asks the provider over and over does not fit in."""

MOST_TEXT = 5_000
MOST_ONWARD = 1_500
"""Longest address that is kept to go on to: browsers drop a cookie of more than 4 kilobytes, and with it the whole round."""

_ERROR_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)


@blueprint.get("/single-sign-on")
@access(Access.PUBLIC)
@limiter.limit(ROUNDS_PER_CLIENT)
def begin_sign_on() -> Response:
    """Off to the identity provider; whoever is signed in already goes on."""
    found = find_session()
    if found is not None and found.stage is SessionStage.OPEN:
        return redirect(safe_next(request.args.get("next", "")), code=303)
    return _set_out(Errand.SIGN_IN)


@blueprint.get("/single-sign-on/again")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@limiter.limit(ROUNDS_PER_CLIENT)
def begin_sign_on_again() -> Response:
    """Off to the identity provider, which has the person prove once more who they are."""
    return _set_out(Errand.CONFIRM)


@blueprint.get("/single-sign-on/return")
@access(Access.PUBLIC)
@limiter.limit(ROUNDS_PER_CLIENT)
def come_back() -> Response:
    """The button that finishes, which is pressed by itself where scripts run; or what went wrong. Changes nothing.

    A refusal to somebody whose session is open goes on to the form, too: only with that comes the cookie that says whose it is.
    """
    provider, begun = _provider(), kept_round()
    try:
        begun = _checked(provider, begun, request.args)
        if begun.errand is Errand.SIGN_IN:
            _check_answer(request.args)
    except SignOnRefused as error:
        return _refused(error, begun)
    answer = {name: request.args[name] for name in ("state", "code", "iss", "error") if name in request.args}
    shown = {"answer": answer, "action": RETURN, "back": SIGN_IN, "is_again": begun.errand is Errand.CONFIRM}
    script = static_address(current_app, "js/finish.js")
    return make_response(render_template("admin/staff/sign_on_return.html", **shown, script=script))


@blueprint.post("/single-sign-on/return")
@access(Access.RETURNING)
@limiter.limit(ROUNDS_PER_CLIENT)
def finish_sign_on() -> Response:
    """Take the provider's answer to whoever it vouches for. Each answer is looked at once."""
    provider, begun = _provider(), kept_round()
    try:
        begun = _checked(provider, begun, request.form)
        with transaction() as session:
            if not finish_round(session, begun, now=utc_now()):
                raise SignOnRefused(WhyNot.STALE, "finished_before")
    except SignOnRefused as error:
        return _refused(error, begun)
    try:
        _check_answer(request.form)
        vouched = provider.vouch(request.form.get("code", ""), begun, now=utc_now())
    except SignOnRefused as error:
        with transaction() as session:
            refuse_sign_on(session, error.why, about=_whose(begun), detail=error.detail, now=utc_now())
        return _refused(error, begun)
    return _confirmed(vouched, begun) if begun.errand is Errand.CONFIRM else _signed_in(provider, vouched, begun)


def _set_out(errand: Errand) -> Response:
    provider, now = _provider(), utc_now()
    onward = safe_next(request.args.get("next", ""))
    begun = new_round(errand, onward if len(onward) <= MOST_ONWARD else HOME, now=now)
    try:
        way = provider.way_there(begun, locale=request_locale(), now=now)
    except SignOnRefused as error:
        return _refused(error, begun)
    return keep_round(redirect(way, code=303), begun)


def _checked(provider: Provider, begun: Round | None, given: Mapping[str, str]) -> Round:
    """The round, when the answer belongs to it. Raises SignOnRefused."""
    now = utc_now()
    if begun is None or begun.is_over(now):
        raise SignOnRefused(WhyNot.STALE, "no_round" if begun is None else "too_late")
    if not hmac.compare_digest(begun.state.encode(), given.get("state", "")[:MOST_TEXT].encode()):
        raise SignOnRefused(WhyNot.FORGED, "state")
    provider.check_answerer(given.get("iss"), now=now)
    return begun


def _check_answer(given: Mapping[str, str]) -> None:
    """That the provider said yes. Raises SignOnRefused."""
    error = given.get("error")
    if error == "access_denied":
        raise SignOnRefused(WhyNot.DENIED)
    if error is not None:
        raise SignOnRefused(WhyNot.PROVIDER_ERROR, error if _ERROR_CODE.fullmatch(error) else "")
    if not 0 < len(given.get("code", "")) <= MOST_TEXT:
        raise SignOnRefused(WhyNot.PROVIDER_ERROR, "no_code")


def _whose(begun: Round) -> StaffId | None:
    """Who set out to prove it once more; before a sign-in nobody is known."""
    current = find_session() if begun.errand is Errand.CONFIRM else None
    return current.staff.id if current is not None and current.stage is SessionStage.OPEN else None


def _signed_in(provider: Provider, vouched: Vouched, begun: Round) -> Response:
    with transaction() as session:
        now, locale = utc_now(), request_locale()
        found = sign_in_with_identity(session, vouched, provider.rules, browser=browser(), locale=locale, now=now)
    if isinstance(found, WhyNot):
        return _refused(SignOnRefused(found), begun)
    return forget_round(give_cookie(redirect(safe_next(begun.onward), code=303), found.secret))


def _confirmed(vouched: Vouched, begun: Round) -> Response:
    current = find_session()
    if current is None or current.stage is not SessionStage.OPEN:
        return _refused(SignOnRefused(WhyNot.STALE, "no_session"), begun)
    with transaction() as session:
        why = confirm_with_identity(session, current, vouched, now=utc_now())
    if why is not None:
        return _refused(SignOnRefused(why), begun)
    return forget_round(redirect(safe_next(begun.onward), code=303))


def _refused(error: SignOnRefused, begun: Round | None) -> Response:
    """What happened, what it means and what to do next; the log gets codes only."""
    log.warning("single_sign_on_refused", why=error.why.value, detail=error.detail)
    is_again = begun is not None and begun.errand is Errand.CONFIRM
    onward = begun.onward if begun is not None else HOME
    again, other = with_next(f"{SIGN_ON}/again" if is_again else SIGN_ON, onward), CONFIRM if is_again else SIGN_IN
    shown = {"why": error.why.value, "is_again": is_again, "again": again, "other": with_next(other, onward)}
    response = make_response(render_template("admin/staff/sign_on_refused.html", **shown), error.status)
    return response if request.method == "GET" else forget_round(response)


def _provider() -> Provider:
    found = identity_provider()
    if found is None:
        abort(404)
    return found
