"""Mailers: who sends, with which keys, how far each has applied what changed; add one, archive it, bring it back."""

from __future__ import annotations

from flask import abort, make_response, render_template
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import Conflict, InvalidValue
from preferences.domain.roles import Permission
from preferences.integrations.esp import PROVIDERS
from preferences.models.transaction import reading, transaction
from preferences.queries.esp.esp import hooks, newest_events
from preferences.queries.mailers.changes import newest_position
from preferences.queries.mailers.endpoints import endpoints_of, waiting_count
from preferences.queries.mailers.mailer_overview import HookHealth, mailer_overviews
from preferences.queries.mailers.mailers import KeyView, MailerView, keys_of, mailer_by_key
from preferences.queries.mailers.reconciliation import MOST_COUNTED, behind_of
from preferences.services.staff.audit import record_audit
from preferences.services.webhooks.mailers import archive_mailer, create_mailer, restore_mailer, works
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, said, typed
from preferences.web.admin.guard import needs, staff_id
from preferences.web.admin.words.endpoints import host_of
from preferences.web.plumbing import utc_now

MESSAGES = {
    "added": lazy_gettext("The mailer is added. Give it a key, and it can call the API."),
    "archived": lazy_gettext("The mailer is archived: its keys are refused and its endpoints not called."),
    "restored": lazy_gettext("The mailer is back, with the keys that it had."),
    "revoked": lazy_gettext("The key no longer works."),
    "removed": lazy_gettext("The endpoint is removed."),
    "unhooked": lazy_gettext("Nothing more is taken from that provider. What it reported stays."),
}
PROBLEMS = {
    "key": lazy_gettext("A short name is at most 64 lower-case letters, digits and -, starting with a letter."),
    "taken": lazy_gettext("There is a mailer with this short name already."),
    "name": lazy_gettext("A name has 1 to 200 characters."),
}


@blueprint.get("/mailers")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
def mailers() -> Response:
    """Every mailer at a glance."""
    return _list_page()


@blueprint.post("/mailers")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def add_mailer() -> Response:
    """Add one; its first key is issued on its page."""
    key, now = typed("key", most=100), utc_now()
    try:
        with transaction() as session:
            number = create_mailer(session, key=key, name=typed("name"), now=now)
            target = AuditTarget(AuditObject.MAILER, number)
            record_audit(session, staff_id(), AuditAction.MAILER_CHANGED, target, data={"what": "added"}, now=now)
    except InvalidValue as error:
        return _list_page(problem="name" if error.pointer == "/name" else "key")
    except Conflict:
        return _list_page(problem="taken")
    return done("admin.mailer_page", "added", key=key)


@blueprint.get("/mailers/<key>")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
def mailer_page(key: str) -> str:
    """One mailer: keys, endpoints, where it stands in the feed, what its ESPs report."""
    mailer, now = existing_mailer(key), utc_now()
    with reading() as session:
        keys = sorted(keys_of(session, key), key=lambda one: not works(one, now))
        endpoints = [(one, waiting_count(session, one.id)) for one in endpoints_of(session, mailer.id)]
        mine = [one.provider for one in hooks(session) if one.mailer_id == mailer.id]
        reports = [HookHealth(one, next(iter(newest_events(session, mailer.id, one, limit=1)), None)) for one in mine]
        behind, newest = behind_of(session, mailer), newest_position(session)
    return render_template(
        "admin/mailers/mailer.html",
        mailer=mailer,
        keys=[(one, state_of(one)) for one in keys],
        endpoints=endpoints,
        reports=reports,
        providers=PROVIDERS,
        behind=behind,
        newest=newest.id,
        most=MOST_COUNTED,
        host_of=host_of,
        done=said(MESSAGES),
    )


@blueprint.get("/mailers/<key>/archive")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def ask_to_archive_mailer(key: str) -> str:
    """What will happen, before it does."""
    mailer = existing_mailer(key)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Archive %(name)s?", name=mailer.name),
        happens=[
            gettext("Its keys are refused at once: it can ask nothing and report nothing."),
            gettext("Its endpoints are not called. What waits for them goes on waiting."),
            gettext("What ESPs report for it is still taken, so that no opt-out is lost."),
            gettext("You can bring it back, with the keys that it had."),
        ],
        action=f"/admin/mailers/{key}/archive",
        button=gettext("Archive"),
        back=f"/admin/mailers/{key}",
    )


@blueprint.post("/mailers/<key>/archive")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def archive_mailer_of(key: str) -> Response:
    """Archive it."""
    mailer, now = existing_mailer(key), utc_now()
    with transaction() as session:
        archive_mailer(session, key, now=now)
        data = {"what": "archived"}
        record_audit(session, staff_id(), AuditAction.MAILER_CHANGED, mailer_target(mailer), data=data, now=now)
    return done("admin.mailer_page", "archived", key=key)


@blueprint.post("/mailers/<key>/restore")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def restore_mailer_of(key: str) -> Response:
    """Bring it back."""
    mailer, now = existing_mailer(key), utc_now()
    with transaction() as session:
        restore_mailer(session, key)
        data = {"what": "restored"}
        record_audit(session, staff_id(), AuditAction.MAILER_CHANGED, mailer_target(mailer), data=data, now=now)
    return done("admin.mailer_page", "restored", key=key)


def existing_mailer(key: str) -> MailerView:
    """The mailer with this short name; 404 for every other text."""
    with reading() as session:
        found = mailer_by_key(session, key) if len(key) <= 64 and key.isascii() and key.isprintable() else None
    if found is None:
        abort(404)
    return found


def mailer_target(mailer: MailerView) -> AuditTarget:
    """The mailer as the audit names it."""
    return AuditTarget(AuditObject.MAILER, mailer.id)


def state_of(key: KeyView) -> str:
    """works, ending (an end is set), expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "works"
    return "ending" if key.expires_at > utc_now() else "expired"


def _list_page(*, problem: str = "") -> Response:
    with reading() as session:
        found = mailer_overviews(session, now=utc_now())
    page = render_template(
        "admin/mailers/mailers.html",
        found=found,
        providers=PROVIDERS,
        most=MOST_COUNTED,
        typed={"key": typed("key", most=100), "name": typed("name")},
        problem=(("key" if problem == "taken" else problem), PROBLEMS[problem]) if problem else None,
        done=said(MESSAGES),
    )
    return make_response(page, 200 if not problem else 409 if problem == "taken" else 422)
