"""What ESPs report for a mailer: where to enter what, whether anything has come, other secrets, and an end to it."""

from __future__ import annotations

from flask import abort, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.roles import Permission
from preferences.integrations.esp import PROVIDERS
from preferences.integrations.esp.base import Provider, Scheme
from preferences.integrations.esp.setting_up import complete_secrets, hook_address, to_enter
from preferences.models.transaction import reading, transaction
from preferences.queries.esp.esp import HookView, hook_of, hooks, newest_events
from preferences.queries.mailers.mailers import MailerView
from preferences.queries.purposes.purposes import catalogue
from preferences.services.esp.hooks import MAX_SECRET_CHARACTERS, add_hook, remove_hook, rotate_hook
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, said, typed
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.admin.words.providers import PLACES, SCHEMES, SECRETS
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from .mailers import existing_mailer, mailer_target

MESSAGES = {
    "set": lazy_gettext("It is set up. Enter the address at the provider, press its test button, and look here."),
    "replaced": lazy_gettext("The secrets are replaced. The former ones go on for a day."),
}
PROBLEMS = {
    "scheme": lazy_gettext("Choose one of these."),
    "secret": lazy_gettext("Paste what the provider shows, whole and nothing else."),
    "purpose": lazy_gettext("Choose one of these."),
    "there": lazy_gettext("Somebody has set it up meanwhile. Go back and look."),
    "gone": lazy_gettext("Somebody has ended it meanwhile, or the mailer is archived. Go back and look."),
}
SHOWN = 10


@blueprint.get("/mailers/<key>/hooks")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
def mailer_hooks(key: str) -> str:
    """Every provider, and what came from each for this mailer."""
    mailer = existing_mailer(key)
    with reading() as session:
        mine = [one.provider for one in hooks(session) if one.mailer_id == mailer.id]
        last = {one: next(iter(newest_events(session, mailer.id, one, limit=1)), None) for one in mine}
    return render_template("admin/mailers/mailer_hooks.html", mailer=mailer, providers=PROVIDERS, mine=mine, last=last)


@blueprint.get("/mailers/<key>/hooks/<provider>")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
def mailer_hook(key: str, provider: str) -> str:
    """One provider: what to enter where, and what has come."""
    mailer, found = existing_mailer(key), _provider(provider)
    with reading() as session:
        hook = hook_of(session, key, provider)
        events = newest_events(session, mailer.id, provider, limit=SHOWN) if hook else []
        described = catalogue(session).by_id(hook.purpose_id) if hook and hook.purpose_id else None
    return render_template(
        "admin/mailers/mailer_hook.html",
        mailer=mailer,
        name=provider,
        provider=found,
        place=PLACES.get(provider, ""),
        address=hook_address(settings().base_url, provider, key),
        hook=hook,
        scheme=SCHEMES.get(hook.secrets["scheme"], hook.secrets["scheme"]) if hook else "",
        former_until=hook.former_until if hook and hook.former_until and hook.former_until > utc_now() else None,
        purpose=described.text(request_locale(), settings().default_locale).title if described else "",
        events=events,
        looked_at=utc_now(),
        done=said(MESSAGES),
    )


@blueprint.get("/mailers/<key>/hooks/<provider>/set-up")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def show_set_up(key: str, provider: str) -> Response:
    """The form: how the provider proves itself, its secrets, what its mail is about."""
    return _form_page(existing_mailer(key), provider)


@blueprint.post("/mailers/<key>/hooks/<provider>/set-up")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
@fresh
def set_up(key: str, provider: str) -> Response:
    """Set it up, or replace its secrets; what we make is shown, this once."""
    mailer, now, replaces = existing_mailer(key), utc_now(), request.form.get("replace") == "1"
    scheme = _scheme(_provider(provider))
    if scheme is None:
        return _form_page(mailer, provider, problem="scheme")
    try:
        secrets = complete_secrets(scheme, _given(scheme))
    except ValueError:
        return _form_page(mailer, provider, problem="secret")
    try:
        with transaction() as session:
            if replaces:
                rotate_hook(session, mailer_key=key, provider=provider, secrets=secrets, now=now)
            else:
                purpose = typed("purpose") or None
                add_hook(session, mailer_key=key, provider=provider, secrets=secrets, purpose_key=purpose, now=now)
            data = {"what": "hook_secrets" if replaces else "hook_added", "provider": provider}
            record_audit(session, staff_id(), AuditAction.MAILER_CHANGED, mailer_target(mailer), data=data, now=now)
    except InvalidValue as error:
        is_secret = (error.pointer or "").startswith("/secrets")
        return _form_page(mailer, provider, problem="secret" if is_secret else "purpose")
    except Conflict:
        return _form_page(mailer, provider, problem="there")
    except NotFound:
        return _form_page(mailer, provider, problem="gone")
    if not scheme.ours:
        return done("admin.mailer_hook", "replaced" if replaces else "set", key=key, provider=provider)
    return _shown(mailer, provider, scheme, secrets)


@blueprint.get("/mailers/<key>/hooks/<provider>/remove")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def ask_to_unhook(key: str, provider: str) -> str:
    """What will happen, before it does."""
    title = _provider(provider).title
    _existing(key, provider)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Stop listening to %(provider)s?", provider=title),
        happens=[
            gettext("Bounces, complaints and unsubscribes that it reports are refused from now on, and lost."),
            gettext("What it has reported stays, and is still worked through."),
            gettext("Its secrets are deleted. To listen again it has to be set up anew."),
        ],
        action=f"/admin/mailers/{key}/hooks/{provider}/remove",
        button=gettext("Stop listening"),
        back=f"/admin/mailers/{key}/hooks/{provider}",
    )


@blueprint.post("/mailers/<key>/hooks/<provider>/remove")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def unhook(key: str, provider: str) -> Response:
    """Stop listening."""
    mailer, now = existing_mailer(key), utc_now()
    _existing(key, provider)
    with transaction() as session:
        remove_hook(session, mailer_key=key, provider=provider)
        data = {"what": "hook_removed", "provider": provider}
        record_audit(session, staff_id(), AuditAction.MAILER_CHANGED, mailer_target(mailer), data=data, now=now)
    return done("admin.mailer_page", "unhooked", key=key)


def _provider(name: str) -> Provider:
    found = PROVIDERS.get(name)
    if found is None:
        abort(404)
    return found


def _existing(key: str, provider: str) -> HookView:
    existing_mailer(key)
    with reading() as session:
        found = hook_of(session, key, provider)
    if found is None:
        abort(404)
    return found


def _scheme(provider: Provider) -> Scheme | None:
    """The scheme that was chosen; where there is only one, that."""
    if len(provider.schemes) == 1:
        return provider.schemes[0]
    return next((one for one in provider.schemes if one.name == request.form.get("scheme")), None)


def _given(scheme: Scheme) -> dict[str, str]:
    """The secrets that were pasted. Raises ValueError for one that is missing or too long."""
    found = {one.name: typed(f"secret-{one.name}", most=MAX_SECRET_CHARACTERS + 1) for one in scheme.theirs}
    if any(not value or len(value) > MAX_SECRET_CHARACTERS for value in found.values()):
        raise ValueError
    return found


def _form_page(mailer: MailerView, name: str, *, problem: str = "") -> Response:
    provider, locale, default = _provider(name), request_locale(), settings().default_locale
    with reading() as session:
        hook = hook_of(session, mailer.key, name)
        described = [one for one in catalogue(session).all() if not one.purpose.is_archived]
    chosen = hook.secrets["scheme"] if hook and request.method == "GET" else request.form.get("scheme", "")
    theirs = {
        field.name: SECRETS.get((name, field.name), field.what) for one in provider.schemes for field in one.theirs
    }
    page = render_template(
        "admin/mailers/mailer_hook_form.html",
        mailer=mailer,
        name=name,
        provider=provider,
        place=PLACES.get(name, ""),
        replaces=hook is not None if request.method == "GET" else request.form.get("replace") == "1",
        schemes=[(one.name, SCHEMES.get(one.name, one.name)) for one in provider.schemes],
        chosen=chosen or provider.schemes[0].name,
        theirs=theirs,
        purposes=[(one.purpose.key, one.text(locale, default).title) for one in described],
        typed_purpose=request.form.get("purpose", "")[:100],
        problem=_problem(problem, theirs),
    )
    return make_response(page, 200 if not problem else 409 if problem in {"there", "gone"} else 422)


def _problem(problem: str, theirs: dict[str, object]) -> tuple[str, object] | None:
    if not problem:
        return None
    return (f"secret-{next(iter(theirs), '')}" if problem == "secret" else problem), PROBLEMS[problem]


def _shown(mailer: MailerView, name: str, scheme: Scheme, secrets: dict[str, str]) -> Response:
    enter = to_enter(settings().base_url, name, mailer.key, scheme, secrets)
    shown = [(gettext("Address"), enter.url), *([(gettext("Header"), enter.header)] if enter.header else [])]
    page = render_template(
        "admin/shown_once.html",
        mailer=mailer,
        title=gettext("Enter this at %(provider)s", provider=_provider(name).title),
        lead=PLACES.get(name, ""),
        secrets=shown,
        old_ends_at=None,
        ends_at=None,
        back=f"/admin/mailers/{mailer.key}/hooks/{name}",
    )
    return make_response(page)
