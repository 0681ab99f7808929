"""API keys of a mailer: issue one with the scopes it needs, let a new one take over, stop one. A key is shown once."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import abort, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.roles import Permission
from preferences.domain.scopes import Scope
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.mailers import KeyView, key_by_prefix
from preferences.services.staff.audit import record_audit
from preferences.services.webhooks.mailers import IssuedKey, issue_key, revoke_key, rotate_key
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.plumbing import utc_now

from .mailers import existing_mailer, mailer_target

PROBLEMS = {
    "scopes": lazy_gettext("Choose at least one thing that the key may do."),
    "days": lazy_gettext("Choose one of these."),
    "archived": lazy_gettext("The mailer is archived. Bring it back before you give it a key."),
    "over": lazy_gettext("The key has expired or was revoked meanwhile. Issue a new one."),
}
DAYS = (0, 30, 90, 365, 730)
"""How long a key may last; 0: until it is revoked."""
HOURS = (168, 24, 0, 720)
"""How long an old key goes on beside the new one; the first is what nobody chose otherwise."""


@blueprint.get("/mailers/<key>/keys")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def write_key(key: str) -> Response:
    """The form for a new key."""
    return _key_page(key)


@blueprint.post("/mailers/<key>/keys")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def issue_key_of(key: str) -> Response:
    """Issue a key and show it, this once."""
    mailer, now = existing_mailer(key), utc_now()
    scopes = [one for one in Scope if one.value in request.form.getlist("scopes")]
    days = _chosen("days", DAYS)
    if not scopes or days is None:
        return _key_page(key, problem="days" if scopes else "scopes")
    try:
        with transaction() as session:
            ends = now + timedelta(days=days) if days else None
            issued = issue_key(session, key, scopes, now=now, expires_at=ends)
            data = {"key": issued.prefix, "scopes": [*issued.scopes], "days": days}
            record_audit(session, staff_id(), AuditAction.KEY_ISSUED, mailer_target(mailer), data=data, now=now)
    except NotFound:
        return _key_page(key, problem="archived")
    return _shown(key, issued, None)


@blueprint.get("/mailers/<key>/keys/<prefix>/rotate")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def ask_to_rotate_key(key: str, prefix: str) -> Response:
    """How long the old key shall go on."""
    return _rotate_page(key, prefix)


@blueprint.post("/mailers/<key>/keys/<prefix>/rotate")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def rotate_key_of(key: str, prefix: str) -> Response:
    """Issue the key that takes over and show it, this once."""
    mailer, old, now = existing_mailer(key), _existing(key, prefix), utc_now()
    hours = _chosen("hours", HOURS)
    if hours is None:
        return _rotate_page(key, prefix, problem="days")
    try:
        with transaction() as session:
            issued = rotate_key(session, old.prefix, now=now, overlap=timedelta(hours=hours))
            data = {"key": issued.prefix, "instead_of": old.prefix, "hours": hours}
            record_audit(session, staff_id(), AuditAction.KEY_ISSUED, mailer_target(mailer), data=data, now=now)
            left = key_by_prefix(session, old.prefix)
    except Conflict:
        return _rotate_page(key, prefix, problem="over")
    return _shown(key, issued, left.expires_at if left else None)


@blueprint.get("/mailers/<key>/keys/<prefix>/revoke")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def ask_to_revoke_key(key: str, prefix: str) -> str:
    """What will happen, before it does."""
    old = _existing(key, prefix)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Revoke the key %(key)s?", key=f"pk_{old.prefix}"),
        happens=[
            gettext("Whoever calls with it is refused from this moment on."),
            gettext("If it is still in use, mails may go out without asking who has opted out: rotate it instead."),
            gettext("It cannot be undone. A new key can be issued."),
        ],
        action=f"/admin/mailers/{key}/keys/{old.prefix}/revoke",
        button=gettext("Revoke for good"),
        back=f"/admin/mailers/{key}",
    )


@blueprint.post("/mailers/<key>/keys/<prefix>/revoke")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def revoke_key_of(key: str, prefix: str) -> Response:
    """Stop the key."""
    mailer, old, now = existing_mailer(key), _existing(key, prefix), utc_now()
    with transaction() as session:
        if revoke_key(session, old.prefix, now=now):
            data = {"key": old.prefix}
            record_audit(session, staff_id(), AuditAction.KEY_REVOKED, mailer_target(mailer), data=data, now=now)
    return done("admin.mailer_page", "revoked", key=key)


def _existing(key: str, prefix: str) -> KeyView:
    """A key of this very mailer; 404 for those of others too."""
    with reading() as session:
        found = key_by_prefix(session, prefix) if len(prefix) <= 16 and prefix.isascii() else None
    if found is None or found.mailer.key != key:
        abort(404)
    return found


def _chosen(name: str, among: tuple[int, ...]) -> int | None:
    text = request.form.get(name, "")
    return next((one for one in among if str(one) == text), None)


def _key_page(key: str, *, problem: str = "") -> Response:
    page = render_template(
        "admin/mailers/mailer_key.html",
        mailer=existing_mailer(key),
        scopes=list(Scope),
        chosen=request.form.getlist("scopes"),
        days=DAYS,
        typed_days=request.form.get("days", "365"),
        problem=(problem, PROBLEMS[problem]) if problem else None,
    )
    return make_response(page, 200 if not problem else 409 if problem == "archived" else 422)


def _rotate_page(key: str, prefix: str, *, problem: str = "") -> Response:
    page = render_template(
        "admin/mailers/mailer_key_rotate.html",
        mailer=existing_mailer(key),
        one=_existing(key, prefix),
        hours=HOURS,
        problem=(problem, PROBLEMS[problem]) if problem else None,
    )
    return make_response(page, 200 if not problem else 409 if problem == "over" else 422)


def _shown(key: str, issued: IssuedKey, old_ends_at: datetime | None) -> Response:
    page = render_template(
        "admin/shown_once.html",
        mailer=existing_mailer(key),
        title=gettext("The new key"),
        lead=gettext("The mailer sends it as its bearer token: Authorization: Bearer …"),
        secrets=[(gettext("API key"), issued.text)],
        old_ends_at=old_ends_at,
        ends_at=issued.expires_at,
        back=f"/admin/mailers/{key}",
    )
    return make_response(page)
