"""Sign-up forms: where they are hosted, what they offer, the HTML for another site; adding one, closing one."""

from __future__ import annotations

from typing import Any

from flask import abort, make_response, render_template, request
from flask_babel import force_locale, gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.errors import Conflict, InvalidValue, NotFound, UnknownPurpose
from preferences.domain.roles import Permission
from preferences.domain.sign_up import MAX_HEADING_CHARACTERS, SignUpForm, can_be_signed_up_for, is_form_key
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.services.sign_up.embed import embed_words, form_address
from preferences.services.sign_up.forms import add_form, all_forms, archive_form, find_form, offered
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, done, said, typed
from preferences.web.admin.guard import needs, staff_id
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

MESSAGES = {
    "added": lazy_gettext("The form is open. Link to it, or paste it into another site."),
    "closed": lazy_gettext("The form is closed. Mail on its way can still be confirmed."),
}
PROBLEMS = {
    "key": lazy_gettext("Lower-case letters, digits and -, beginning with a letter, at most 64; not “sent”."),
    "purposes": lazy_gettext("Choose at least one purpose: mail that rests on consent."),
    "taken": lazy_gettext("There is, or was, a form with this key: choose another one."),
}


@blueprint.get("/forms")
@access(Access.STAFF)
@needs(Permission.SEE_PURPOSES)
def forms() -> str:
    """Every form in use with its address and what it offers; closed ones with `?closed=1`."""
    with reading() as session:
        found, known = all_forms(session), catalogue(session)
    with_closed = asked("closed") == "1"
    return render_template(
        "admin/purposes/forms.html",
        forms=[
            (one, form_address(one, settings()), _titles(known, one), _heading(one))
            for one in found
            if with_closed or one.archived_at is None
        ],
        closed=sum(one.archived_at is not None for one in found),
        with_closed=with_closed,
        done=said(MESSAGES),
    )


@blueprint.get("/forms/<key>")
@access(Access.STAFF)
@needs(Permission.SEE_PURPOSES)
def form_page(key: str) -> str:
    """One form, with the HTML to paste in every language."""
    with reading() as session:
        form = _open_form(session, key)
        embeds = _embeds(session, form)
        known = catalogue(session)
    return render_template(
        "admin/purposes/form.html",
        form=form,
        heading=_heading(form),
        address=form_address(form, settings()),
        titles=_titles(known, form),
        embeds=embeds,
        done=said(MESSAGES),
    )


@blueprint.get("/forms/new_form")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def write_form() -> Response:
    """The form for a form."""
    return _write_page({"key": ""}, frozenset())


@blueprint.post("/forms/new_form")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def add_a_form() -> Response:
    """Add it; what cannot be taken comes back with every word."""
    most = 2 * MAX_HEADING_CHARACTERS  # what is too long is said, not cut
    words = {"key": typed("key")} | {f"heading-{one}": typed(f"heading-{one}", most=most) for one in settings().locales}
    chosen = request.form.getlist("purposes")[:200]
    headings = {one: words[f"heading-{one}"] for one in settings().locales}
    try:
        with transaction() as session:
            add_form(session, words["key"], headings=headings, purpose_keys=chosen, now=(now := utc_now()))
            data = {"form": words["key"], "purposes": chosen, "step": "added"}
            record_audit(session, staff_id(), AuditAction.FORM_CHANGED, _TARGET, data=data, now=now)
    except Conflict:
        return _write_page(words, frozenset(chosen), ("key", PROBLEMS["taken"]), status=409)
    except (InvalidValue, UnknownPurpose) as error:
        return _write_page(words, frozenset(chosen), _problem(error), status=422)
    return done("admin.form_page", "added", key=words["key"])


@blueprint.get("/forms/<key>/close")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def ask_to_close_form(key: str) -> str:
    """What will happen, before it does."""
    with reading() as session:
        form = _open_form(session, key)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Close the form “%(title)s”?", title=_heading(form)),
        happens=[
            gettext("Its address answers that there is no such form, also where it is pasted into another site."),
            gettext("Mail on its way can still be confirmed, and nobody's consent changes."),
            gettext("It cannot be opened again, and the key %(key)s is never used again.", key=key),
        ],
        action=f"/admin/forms/{key}/close",
        button=gettext("Close the form"),
        back=f"/admin/forms/{key}",
    )


@blueprint.post("/forms/<key>/close")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def close_form(key: str) -> Response:
    """Close it. Closing again changes nothing."""
    if not is_form_key(key):
        abort(404)
    if request.form.get("sure") != "1":
        abort(400)
    with transaction() as session:
        archive_form(session, key, now=(now := utc_now()))
        data = {"form": key, "step": "closed"}
        record_audit(session, staff_id(), AuditAction.FORM_CHANGED, _TARGET, data=data, now=now)
    return done("admin.forms", "closed", closed=1)


_TARGET = AuditTarget(AuditObject.FORM)


def _open_form(session: Session, key: str) -> SignUpForm:
    """The form in use with this key; else there is no such page."""
    try:
        return find_form(session, key)
    except NotFound:
        abort(404)


def _embeds(session: Session, form: SignUpForm) -> list[tuple[str, str]]:
    """(language, HTML) to paste; none where nothing that it offers is in use any more."""
    found = []
    for locale in settings().locales:
        try:
            shown = embed_words(session, form, locale, settings())
        except NotFound:
            return []
        with force_locale(locale):
            found.append((locale, render_template("recipient/subscribe_embed.html", **shown)))
    return found


def _titles(known: Catalogue, form: SignUpForm) -> list[str]:
    """What the form offers now."""
    try:
        return [_title(one) for one in offered(known, form)]
    except NotFound:
        return []


def _title(one: Described) -> str:
    return one.text(request_locale(), settings().default_locale).title


def _heading(form: SignUpForm) -> str:
    return form.heading(request_locale(), settings().default_locale) or form.key


def _problem(error: InvalidValue | UnknownPurpose) -> tuple[str, Any]:
    parts = (error.pointer or "").split("/")
    if parts[1:2] == ["headings"] and len(parts) == 3:
        return f"heading-{parts[2]}", gettext("Write it: 1 to %(most)s characters.", most=MAX_HEADING_CHARACTERS)
    field = "key" if parts[1:2] == ["key"] else "purposes"
    return field, PROBLEMS[field]


def _write_page(
    words: dict[str, str], chosen: frozenset[str], problem: tuple[str, Any] | None = None, *, status: int = 200
) -> Response:
    with reading() as session:
        known = catalogue(session)
    choices = [
        (one.purpose.key, _title(one), one.purpose.parent_id is not None)
        for top in known.purposes()
        for one in (top, *known.topics(top.purpose))
        if can_be_signed_up_for(one.purpose)
    ]
    page = render_template(
        "admin/purposes/form_new.html",
        words=words,
        chosen=chosen,
        choices=choices,
        locales=settings().locales,
        problem=problem,
    )
    return make_response(page, status)
