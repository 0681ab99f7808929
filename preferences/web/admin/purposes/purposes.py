"""Purposes and topics: the tree in the order of pages, one purpose with its versions, how recipients see it, archiving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.differences import differences
from preferences.domain.errors import InvalidValue
from preferences.domain.purpose import EVERYTHING_KEY, About, NoticeText
from preferences.domain.roles import Permission
from preferences.domain.sign_up import SignUpForm
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.notice_versions import Published, published_purposes, published_version, version_lines
from preferences.services.purposes.purpose_order import Step, move_purpose
from preferences.services.purposes.purposes import archive_purpose
from preferences.services.sign_up.forms import forms_offering
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, done, said, typed
from preferences.web.admin.guard import needs, staff_id
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from .preview import as_recipients_see

MESSAGES = {
    "moved": lazy_gettext("The order is changed. Recipients see it within seconds."),
    "added": lazy_gettext("It is there, and recipients see it within seconds."),
    "published": lazy_gettext("The new version is what recipients read from now on."),
    "archived": lazy_gettext("It is archived. What people chose goes on stopping things."),
    "over": lazy_gettext("That cannot be done any more: somebody has archived it meanwhile."),
}
TEXT_FIELDS = tuple(field.name for field in fields(NoticeText) if field.name != "locale")


@blueprint.get("/purposes")
@access(Access.STAFF)
@needs(Permission.SEE_PURPOSES)
def purposes() -> str:
    """Every purpose with its topics; archived ones with `?archived=1`."""
    with reading() as session:
        found = published_purposes(session)
    with_archived = asked("archived") == "1"
    shown = [one for one in found if with_archived or not one.purpose.is_archived]
    return render_template(
        "admin/purposes/purposes.html",
        groups=[
            (about, [(top, topics_of(shown, top)) for top in _tops(shown, about)])
            for about in (About.MAIL, About.PUBLICATION, About.EVERYTHING)
        ],
        locales=settings().locales,
        with_archived=with_archived,
        archived=sum(one.purpose.is_archived for one in found),
        done=said(MESSAGES),
    )


@blueprint.post("/purposes/<key>/move")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def move(key: str) -> Response:
    """One step up or down among those beside it."""
    step = request.form.get("step", "")
    if step not in [*Step]:
        abort(400)
    found = existing(key)
    try:
        with transaction() as session:
            move_purpose(session, key, Step(step))
            record_audit(
                session, staff_id(), AuditAction.PURPOSE_CHANGED, target(found), data={"moved": step}, now=utc_now()
            )
    except InvalidValue:
        return done("admin.purposes", "over")
    return done("admin.purposes", "moved", _anchor=f"purpose-{key}")


@blueprint.get("/purposes/<key>")
@access(Access.STAFF)
@needs(Permission.SEE_PURPOSES)
def purpose_page(key: str) -> str:
    """The newest version, per language, with the differences to the one before; all versions below it."""
    return _page(key, None)


@blueprint.get("/purposes/<key>/versions/<int:number>")
@access(Access.STAFF)
@needs(Permission.SEE_PURPOSES)
def purpose_version(key: str, number: int) -> str:
    """An older version as it was shown."""
    return _page(key, number)


@blueprint.get("/purposes/<key>/preview")
@access(Access.STAFF)
@needs(Permission.SEE_PURPOSES)
def preview_purpose(key: str) -> str:
    """The card as somebody who has not answered sees it, in every language."""
    with reading() as session:
        found = published_purposes(session)
    one = next((one for one in found if one.purpose.key == key), None)
    if one is None or one.purpose.is_archived:
        abort(404)
    top = _parent(found, one) or one
    topics = [one for one in topics_of(found, top) if not one.purpose.is_archived]
    return render_template(
        "admin/purposes/purpose_preview.html",
        one=one,
        top=top,
        cards=as_recipients_see(top.described, [topic.described for topic in topics], settings().locales),
    )


@blueprint.get("/purposes/<key>/archive")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def ask_to_archive(key: str) -> str:
    """What will happen, before it does."""
    with reading() as session:
        found = published_purposes(session)
        one = next((one for one in found if one.purpose.key == key), None)
        if one is None or one.purpose.is_archived or key == EVERYTHING_KEY:
            abort(404)
        below = [topic for topic in topics_of(found, one) if not topic.purpose.is_archived]
        forms = forms_offering(session, [key, *(topic.purpose.key for topic in below)])
    topics = [title_of(topic) for topic in below]
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Archive “%(title)s”?", title=title_of(one)),
        happens=[
            *([gettext("Its topics go with it: %(titles)s.", titles=", ".join(topics))] if topics else []),
            gettext("Recipients no longer see it, and mailers that ask about it are refused from now on."),
            *([gettext("These sign-up forms no longer offer it: %(forms)s.", forms=keys_of(forms))] if forms else []),
            gettext("Nothing is deleted: what people chose stays on record and goes on stopping things."),
            gettext("It cannot be taken back, and the key %(key)s is never used again.", key=key),
        ],
        action=f"/admin/purposes/{key}/archive",
        button=gettext("Archive"),
        back=f"/admin/purposes/{key}",
        reason="optional",
    )


@blueprint.post("/purposes/<key>/archive")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def archive(key: str) -> Response:
    """Archive it with its topics. Archiving again changes nothing."""
    found = existing(key)
    if key == EVERYTHING_KEY or request.form.get("sure") != "1":
        abort(400)
    with transaction() as session:
        archive_purpose(session, key, now=utc_now())
        record_audit(
            session, staff_id(), AuditAction.PURPOSE_ARCHIVED, target(found), reason=typed("reason"), now=utc_now()
        )
    return done("admin.purpose_page", "archived", key=key)


def existing(key: str) -> Published:
    """The purpose with its newest version; else there is no such page."""
    with reading() as session:
        found = published_version(session, key)
    if found is None:
        abort(404)
    return found


def target(found: Published) -> AuditTarget:
    """The purpose as the audit names it."""
    return AuditTarget(AuditObject.PURPOSE, int(found.purpose.id))


def title_of(found: Published) -> str:
    """What the purpose is called in the language of the page."""
    return found.described.text(request_locale(), settings().default_locale).title


def keys_of(forms: Sequence[SignUpForm]) -> str:
    """Forms in one line."""
    return ", ".join(one.key for one in forms)


def topics_of(found: Sequence[Published], top: Published) -> list[Published]:
    """The topics under a purpose, in order."""
    return [one for one in found if one.purpose.parent_id == top.purpose.id]


def compared(text: NoticeText, before: Published | None) -> dict[str, Any]:
    """For each field the differences to the same language of an earlier version; None where there is none."""
    old = before.described.texts.get(text.locale) if before else None
    return {
        name: differences(getattr(old, name), getattr(text, name))
        if old and getattr(old, name) != getattr(text, name)
        else None
        for name in TEXT_FIELDS
    }


def _tops(found: Sequence[Published], about: About) -> list[Published]:
    return [one for one in found if one.purpose.parent_id is None and one.purpose.about is about]


def _parent(found: Sequence[Published], topic: Published) -> Published | None:
    return next((one for one in found if one.purpose.id == topic.purpose.parent_id), None)


def _page(key: str, number: int | None) -> str:
    with reading() as session:
        shown = published_version(session, key, number)
        if shown is None:
            abort(404)
        found = published_purposes(session)
        before = published_version(session, key, shown.described.number - 1)
        versions = version_lines(session, shown.purpose.id)
    locales = [*settings().locales, *sorted(set(shown.described.texts) - set(settings().locales))]
    return render_template(
        "admin/purposes/purpose.html",
        one=shown,
        parent=_parent(found, shown),
        topics=topics_of(found, shown),
        before=before,
        texts=[(locale, shown.described.texts.get(locale)) for locale in locales],
        compared={text.locale: compared(text, before) for text in shown.described.texts.values()},
        versions=versions,
        is_newest=number is None or number == versions[0].number,
        done=said(MESSAGES),
    )
