"""`/u/<token>`: the link in every mail. GET shows, POST acts; the token is the only credential (M1-M9, T1-T7).

No answer here redirects before it has acted, none sets a cookie, and none tells a good token from a bad one by its status (M7).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from flask import Response, redirect, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response as AnyResponse

from preferences.domain.acts import Method
from preferences.domain.capability import Capability, Claims
from preferences.domain.errors import BadToken
from preferences.domain.purpose import NoticeVersionId
from preferences.metrics import ONE_CLICKS, OneClickResult
from preferences.models.rehearsal import on_stage
from preferences.models.transaction import deciding, reading, transaction
from preferences.queries.purposes.notices import notice_exists
from preferences.queries.purposes.purposes import catalogue
from preferences.services.choices.unsubscribe import NOTHING_SHOWN, Shown, stop_everything, stop_purpose, unsubscribe
from preferences.web.access import Access, access
from preferences.web.dates import in_words
from preferences.web.errors import Page, error_page
from preferences.web.locale import keeping_language, request_locale, speak
from preferences.web.plumbing import settings, signer, utc_now
from preferences.web.recipient import blueprint
from preferences.web.recipient.choices.reason import question_about_entry

from .posted import Ignored, Notice, OneClick, OwnForm, Stop, read_post
from .unsubscribe_page import recipient_of, stop_page

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = structlog.get_logger()

_accepted: dict[str, bytes] = {}
"""The answer to a one-click, per language: the same for every link, so it is rendered once."""


class ShortAnswer(Response):
    """A whole answer of a few bytes: its headers go out as they are, without being copied and completed first."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers; the length has been known since the content was set."""
        return self.headers


class AnyText(BaseConverter):
    """Whatever stands after `/u/`, even nothing or slashes: a mangled link gets the same page, never a redirect (M3, M7)."""

    regex = ".*"
    part_isolating = False


@blueprint.record
def _know_any_text(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["any_text"] = AnyText


@blueprint.app_template_filter("on_date")
def _on_date(moment: datetime) -> str:
    """A date in words, in the language of the page."""
    return in_words(moment)


@blueprint.get("/u/<any_text:token>")
@access(Access.TOKEN)
def unsubscribe_link(token: str) -> str:
    """Show what the link can stop, and what is stopped. Changes nothing, whoever opens it (M4)."""
    return _page(token, _open(token))


@blueprint.post("/u/<any_text:token>")
@access(Access.TOKEN)
def unsubscribe_by_link(token: str) -> str | AnyResponse | Page:
    """Act on the one-click pair and on the page's own form; show the page for everything else (M6)."""
    posted = read_post(request)
    claims = _open(token)
    if isinstance(posted, Ignored):
        log.info("unsubscribe_post_ignored", reason=posted.reason)
        _count(OneClickResult.NO_BODY if posted.reason == "no_body" else OneClickResult.OTHER_BODY)
        return _page(token, claims)
    try:
        if isinstance(posted, OneClick):
            _stop_by_one_click(claims)
            _count(OneClickResult.VALID if claims else OneClickResult.INVALID_TOKEN)
            return _accept()
        if claims is None:
            return _page(token, claims)
        _stop_by_form(claims, posted)
    except SQLAlchemyError as error:
        log.error("unsubscribe_not_stored", kind=type(error).__name__)
        if isinstance(posted, OneClick):
            _count(OneClickResult.NOT_STORED)
        return error_page(503)
    return redirect(keeping_language(f"/u/{token.strip('/')}"), code=303)


def _count(result: OneClickResult) -> None:
    """A rehearsal of the header doctor is no one-click."""
    if on_stage() is None:
        ONE_CLICKS[result].inc()


def _open(token: str) -> Claims | None:
    """What the token says, or None, without saying why (M7). Old epochs open too: an opt-out link never expires (M9, T13)."""
    try:
        return signer().open(token.strip("/"), Capability.UNSUBSCRIBE)
    except BadToken:
        log.info("unsubscribe_token_invalid")
        return None


def _stop_by_one_click(claims: Claims | None) -> None:
    if claims is None:
        return
    now = utc_now()
    with deciding() as session:
        stopped = stop_purpose(session, claims, method=Method.ONE_CLICK, now=now)
    if stopped is None:
        with transaction() as session:
            unsubscribe(session, claims, method=Method.ONE_CLICK, now=now)


def _stop_by_form(claims: Claims, form: OwnForm) -> None:
    now, method = utc_now(), Method.UNSUBSCRIBE_PAGE
    with transaction() as session:
        if form.stop is Stop.PURPOSE:
            shown = _shown(session, claims.purpose_id, form.notice)
            unsubscribe(session, claims, method=method, now=now, shown=shown)
            return
        shown = _shown(session, catalogue(session).everything().purpose.id, form.notice)
        recipient_id, reference = claims.recipient_id, claims.reference
        stop_everything(session, recipient_id, method=method, now=now, shown=shown, reference=reference)


def _shown(session: Session, purpose_id: int, notice: Notice | None) -> Shown:
    """What the person saw, as far as it can have been shown at all: evidence must not be invented by a form field (L2)."""
    if notice is None:
        return NOTHING_SHOWN
    version_id, locale = NoticeVersionId(notice.version_id), notice.locale
    if not notice_exists(session, purpose_id=purpose_id, version_id=version_id, locale=locale):
        return NOTHING_SHOWN
    return Shown(version_id, locale)


def _accept() -> Response:
    """A short page that is true of every link and tells nothing of this one."""
    locale = request_locale()
    if locale not in _accepted:
        _accepted[locale] = render_template("recipient/unsubscribe_accepted.html").encode()
    return ShortAnswer(_accepted[locale], mimetype="text/html")


def _page(token: str, claims: Claims | None) -> str:
    page = question = None
    if claims is not None:
        with reading() as session:
            recipient = recipient_of(session, claims)
            if recipient is not None:
                speak(recipient.locale)
                page = stop_page(
                    session,
                    claims,
                    recipient,
                    locale=request_locale(),
                    default_locale=settings().default_locale,
                    at=utc_now(),
                )
                question = question_about_entry(session, token.strip("/"), recipient, page.told_of, now=utc_now())
    return render_template("recipient/unsubscribe.html", page=page, question=question)
