"""Endpoints of a mailer: add, change, switch off and on, another secret, remove. A secret is shown once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import Conflict
from preferences.domain.events import EventType
from preferences.domain.roles import Permission
from preferences.domain.webhook_urls import MAX_URL_CHARACTERS, UnusableUrl
from preferences.domain.webhooks import MAX_ENDPOINTS, DisabledReason, EndpointState, PayloadKind, SignatureScheme
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.endpoints import EndpointView
from preferences.services.staff.audit import record_audit
from preferences.services.webhooks.endpoints import (
    EndpointChange,
    FreshSecret,
    add_endpoint,
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    endpoint_of,
    held_endpoint,
    remove_endpoint,
    rotate_secret,
)
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed
from preferences.web.admin.editing import MEANWHILE, is_as_seen, mark_of
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.admin.words.endpoints import host_of
from preferences.web.admin.words.words import staff_word
from preferences.web.plumbing import settings, utc_now

from .mailers import existing_mailer

PROBLEMS = {
    "url": lazy_gettext(
        "Use https://host/path of a public host, at most 1,000 characters, without user name, # and spaces."
    ),
    "types": lazy_gettext("Choose at least one kind of change."),
    "most": lazy_gettext("A mailer has at most %(most)s endpoints. Remove one first.", most=MAX_ENDPOINTS),
    "archived": lazy_gettext("The mailer is archived. Bring it back first."),
    MEANWHILE: lazy_gettext("Somebody else has changed the endpoint meanwhile. What you wrote is still here."),
}


@blueprint.get("/mailers/<key>/endpoints")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def write_endpoint(key: str) -> Response:
    """The form for a new endpoint."""
    return _form_page(key)


@blueprint.post("/mailers/<key>/endpoints")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def add_endpoint_to(key: str) -> Response:
    """Add it and show what verifies its messages, this once."""
    mailer, now, asked = existing_mailer(key), utc_now(), _asked()
    scheme = SignatureScheme.V1A if request.form.get("scheme") == SignatureScheme.V1A else SignatureScheme.V1
    if mailer.archived_at is not None or not asked.types:
        return _form_page(key, problem="types" if mailer.archived_at is None else "archived")
    try:
        with transaction() as session:
            made, secret = add_endpoint(session, mailer.id, asked, scheme, rules=settings().webhook_urls, now=now)
            data = {"what": "added", **_codes(made)}
            record_audit(session, staff_id(), AuditAction.ENDPOINT_CHANGED, endpoint_target(made), data=data, now=now)
    except UnusableUrl:
        return _form_page(key, problem="url")
    except Conflict:
        return _form_page(key, problem="most")
    return _shown(key, made, secret)


@blueprint.get("/mailers/<key>/endpoints/<int:number>/change")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def show_endpoint_change(key: str, number: int) -> Response:
    """The form with how it is."""
    return _form_page(key, existing_endpoint(key, number))


@blueprint.post("/mailers/<key>/endpoints/<int:number>/change")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def change_endpoint_of(key: str, number: int) -> Response:
    """Change it; an address that is left empty stays, because it is shown to nobody."""
    found, now, asked = existing_endpoint(key, number), utc_now(), _asked()
    if not asked.types:
        return _form_page(key, found, problem="types")
    try:
        with transaction() as session:
            found = held_endpoint(session, found.mailer_id, number)
            if not is_as_seen(*_editable(found)):
                raise Conflict("The form was opened with what no longer holds.")
            changed = change_endpoint(session, found, asked, rules=settings().webhook_urls, now=now)
            data = {"what": "changed", **_codes(changed), "address": bool(asked.url)}
            record_audit(session, staff_id(), AuditAction.ENDPOINT_CHANGED, endpoint_target(found), data=data, now=now)
    except UnusableUrl:
        return _form_page(key, found, problem="url")
    except Conflict:
        return _form_page(key, found, problem=MEANWHILE)
    return done("admin.endpoint_page", "changed", key=key, number=number)


@blueprint.post("/mailers/<key>/endpoints/<int:number>/state")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def switch_endpoint(key: str, number: int) -> Response:
    """Call it, or stop calling it: as the form says, so that two people clicking at once agree."""
    found, now, on = existing_endpoint(key, number), utc_now(), request.form.get("state") == EndpointState.ENABLED
    with transaction() as session:
        if not on:
            disable_endpoint(session, found.id, DisabledReason.OPERATOR, now=now)
        elif found.state is EndpointState.DISABLED:
            enable_endpoint(session, found.id, now=now)
        data = {"what": "enabled" if on else "disabled"}
        record_audit(session, staff_id(), AuditAction.ENDPOINT_CHANGED, endpoint_target(found), data=data, now=now)
    return done("admin.endpoint_page", "enabled" if on else "disabled", key=key, number=number)


@blueprint.get("/mailers/<key>/endpoints/<int:number>/secret")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def ask_for_endpoint_secret(key: str, number: int) -> str:
    """What another secret means, before there is one."""
    found = existing_endpoint(key, number)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Another secret for endpoint %(number)s?", number=found.id),
        happens=[
            gettext("The new secret is shown on the next page, and never again."),
            gettext("For 24 hours messages are signed with both, so that nothing is lost while it is entered."),
            gettext("A secret that was on its way out already ends at once."),
        ],
        action=f"/admin/mailers/{key}/endpoints/{number}/secret",
        button=gettext("Make another secret"),
        back=f"/admin/mailers/{key}/endpoints/{number}",
        fields={"back": f"/admin/mailers/{key}/endpoints/{number}/secret"},
    )


@blueprint.post("/mailers/<key>/endpoints/<int:number>/secret")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def rotate_endpoint_secret(key: str, number: int) -> Response:
    """Make it and show it, this once."""
    found, now = existing_endpoint(key, number), utc_now()
    with transaction() as session:
        secret = rotate_secret(session, found, now=now)
        data = {"what": "secret"}
        record_audit(session, staff_id(), AuditAction.ENDPOINT_CHANGED, endpoint_target(found), data=data, now=now)
    return _shown(key, found, secret)


@blueprint.get("/mailers/<key>/endpoints/<int:number>/remove")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def ask_to_remove_endpoint(key: str, number: int) -> str:
    """What will happen, before it does."""
    found = existing_endpoint(key, number)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Remove the endpoint at %(host)s?", host=host_of(found.url)),
        happens=[
            gettext("It is not called any more, and what waits for it is forgotten."),
            gettext("Its secrets and the list of attempts are deleted."),
            gettext("It cannot be undone. To stop it for a while, switch it off instead."),
        ],
        action=f"/admin/mailers/{key}/endpoints/{number}/remove",
        button=gettext("Remove for good"),
        back=f"/admin/mailers/{key}/endpoints/{number}",
    )


@blueprint.post("/mailers/<key>/endpoints/<int:number>/remove")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def remove_endpoint_of(key: str, number: int) -> Response:
    """Forget it."""
    found, now = existing_endpoint(key, number), utc_now()
    with transaction() as session:
        remove_endpoint(session, found.id)
        data = {"what": "removed"}
        record_audit(session, staff_id(), AuditAction.ENDPOINT_CHANGED, endpoint_target(found), data=data, now=now)
    return done("admin.mailer_page", "removed", key=key)


def existing_endpoint(key: str, number: int) -> EndpointView:
    """An endpoint of this very mailer; 404 for those of others too."""
    mailer = existing_mailer(key)
    with reading() as session:
        return endpoint_of(session, mailer.id, number)


def endpoint_target(found: EndpointView) -> AuditTarget:
    """The endpoint as the audit names it."""
    return AuditTarget(AuditObject.ENDPOINT, found.id)


def _asked() -> EndpointChange:
    """What the form says. No types is for the caller to refuse."""
    chosen = request.form.getlist("types")
    return EndpointChange(
        url=typed("url", most=MAX_URL_CHARACTERS + 1) or None,
        types=[one for one in EventType if one.value in chosen],
        description=typed("description", most=200),
        payload=PayloadKind.ADDRESSES if request.form.get("payload") == PayloadKind.ADDRESSES else PayloadKind.THIN,
    )


def _editable(found: EndpointView) -> tuple[Any, ...]:
    """What the form changes."""
    return found.url, found.description, sorted(found.types), found.payload


def _compared(found: EndpointView) -> list[tuple[str, str, str]]:
    """(field, stored now, written here) where somebody was faster. The address is shown to nobody."""
    asked = _asked()
    return [
        (gettext("Address"), gettext("not shown"), gettext("a new one") if asked.url else gettext("not shown")),
        (gettext("In your own words"), found.description, asked.description or ""),
        (gettext("What it is told of"), _named(found.types), _named(asked.types or ())),
        (gettext("What it learns of a person"), _learns(found.payload), _learns(asked.payload)),
    ]


def _learns(payload: PayloadKind | None) -> str:
    return str(staff_word("payload", payload or PayloadKind.THIN))


def _named(types: Collection[EventType]) -> str:
    return ", ".join(str(staff_word("event", one)) for one in EventType if one in types)


def _codes(found: EndpointView) -> dict[str, Any]:
    return {"types": [*found.types], "payload": found.payload}


def _form_page(key: str, found: EndpointView | None = None, *, problem: str = "") -> Response:
    if request.method == "POST":
        asked, form = _asked(), request.form
        shown: dict[str, Any] = {
            "url": form.get("url", "")[:1001],
            "description": asked.description,
            "payload": asked.payload,
        }
        types = asked.types or []
    else:
        shown = {
            "url": "",
            "description": found.description if found else "",
            "payload": found.payload if found else "",
        }
        types = list(found.types if found else EventType)
    page = render_template(
        "admin/mailers/endpoint_form.html",
        mailer=existing_mailer(key),
        one=found,
        host=host_of(found.url) if found else "",
        form={**shown, "scheme": request.form.get("scheme", "")},
        chosen=[one.value for one in types],
        every_type=list(EventType),
        problem=(problem, PROBLEMS[problem]) if problem else None,
        seen=mark_of(problem, *_editable(found)) if found else "",
        meanwhile=_compared(found) if found and problem == MEANWHILE else None,
    )
    return make_response(page, 200 if not problem else 409 if problem in {"most", "archived", MEANWHILE} else 422)


def _shown(key: str, found: EndpointView, secret: FreshSecret) -> Response:
    is_public = found.scheme is SignatureScheme.V1A
    page = render_template(
        "admin/shown_once.html",
        mailer=existing_mailer(key),
        title=gettext("What the endpoint verifies with"),
        lead=gettext(
            "Messages to %(host)s are signed. Whoever receives them checks it with this.", host=host_of(found.url)
        ),
        secrets=[(gettext("Public key") if is_public else gettext("Secret"), secret.text)],
        old_ends_at=secret.previous_ends_at,
        ends_at=None,
        back=f"/admin/mailers/{key}/endpoints/{found.id}",
    )
    return make_response(page)
