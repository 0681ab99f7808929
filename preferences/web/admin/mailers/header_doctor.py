"""The header doctor: a raw message judged in words, and a link of ours tried with everything that clients and scanners send."""

from __future__ import annotations

from flask import current_app, make_response, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.request_shapes import FINE
from preferences.domain.roles import Permission
from preferences.integrations.header_doctor import Diagnosis, examine
from preferences.integrations.header_doctor_codes import Severity
from preferences.integrations.header_doctor_words import SENTENCES, SEVERITIES
from preferences.integrations.link_rehearsal_words import SHAPES, STATES, VERDICTS
from preferences.integrations.raw_message import MOST_BYTES
from preferences.services.recipients.link_rehearsal import LinkRehearsal, NotOurLink, is_our_link, rehearse_link
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import typed
from preferences.web.admin.guard import needs, takes
from preferences.web.plumbing import settings, signer

PROBLEMS = {
    "message": lazy_gettext("Paste a message, choose a file, or give a link."),
    "url": lazy_gettext("Only unsubscribe links of this service are tried: they begin with %(start)s."),
}
MOST_SHOWN_AGAIN = 200_000
"""A longer message is not put back into the field."""


@blueprint.get("/header-doctor")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
def header_doctor() -> Response:
    """The form."""
    return _page(None, None)


@blueprint.post("/header-doctor")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
@takes(MOST_BYTES + 512 * 1024)
def examine_it() -> Response:
    """Judge it. Nothing of it is stored or logged, and a tried link changes nothing."""
    raw, url = _message(), typed("url", most=2000)
    diagnosis = examine(raw) if raw.strip() else None
    if diagnosis is None and not url:
        return _page(None, None, problem="message")
    if not url and diagnosis is not None and is_our_link(diagnosis.one_click_url or "", settings().base_url):
        url = diagnosis.one_click_url or ""
    try:
        link = _tried(url) if url else None
    except NotOurLink:
        return _page(diagnosis, None, problem="url")
    return _page(diagnosis, link)


def _message() -> bytes:
    """The file, or else what was pasted: byte for byte, as far as a form keeps bytes."""
    file = request.files.get("file")
    raw = file.stream.read(MOST_BYTES + 1) if file is not None and file.filename else b""
    return raw or request.form.get("message", "").lstrip("\r\n").encode(errors="replace")


def _tried(url: str) -> LinkRehearsal:
    return rehearse_link(current_app.wsgi_app, url, base_url=settings().base_url, signer=signer())


def _page(diagnosis: Diagnosis | None, link: LinkRehearsal | None, *, problem: str = "") -> Response:
    message = request.form.get("message", "")
    start = f"{settings().base_url}/u/"
    page = render_template(
        "admin/mailers/header_doctor.html",
        diagnosis=diagnosis,
        errors=diagnosis.count(Severity.ERROR) if diagnosis else 0,
        link=link,
        sentences=SENTENCES,
        severities=SEVERITIES,
        shapes=SHAPES,
        verdicts=VERDICTS,
        states=STATES,
        fine=FINE,
        start=start,
        typed={"url": typed("url", most=2000), "message": message if len(message) <= MOST_SHOWN_AGAIN else ""},
        problem=(problem, str(PROBLEMS[problem]) % {"start": start}) if problem else None,
    )
    return make_response(page, 422 if problem else 200)
