"""The privacy policy: versions with their differences, publish the next one, tell everybody of a major one (L21)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import abort, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.differences import differences
from preferences.domain.errors import Conflict, InvalidValue
from preferences.domain.policy import PolicyText, Weight, blocks_of
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.policy import (
    PolicyVersion,
    announcement,
    announcements,
    policy_version,
    policy_versions,
)
from preferences.services.policy.policy import (
    begin_announcement,
    pause_announcement,
    publish_policy,
    resume_announcement,
)
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, said, typed_lines
from preferences.web.admin.guard import LONG_TEXTS, fresh, needs, staff_id, takes
from preferences.web.plumbing import settings, utc_now

MESSAGES = {
    "published": lazy_gettext("The new version is what everybody reads from now on."),
    "announced": lazy_gettext("The worker takes people up in portions. You can leave this page."),
    "paused": lazy_gettext("Nobody more is taken up. What is on its way still arrives."),
    "resumed": lazy_gettext("It goes on where it was paused."),
    "over": lazy_gettext("That is over already, or a newer version is published."),
}


@blueprint.get("/policy")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
def policy() -> str:
    """Every version, newest first, and how far the newest has been announced."""
    with reading() as session:
        versions = policy_versions(session)
        begun = announcements(session)
        told = {one.number: begun.get(one.number) for one in versions}
    return render_template(
        "admin/purposes/policy.html", versions=versions, told=told, in_order=_in_order, done=said(MESSAGES)
    )


@blueprint.get("/policy/<int:number>")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
def policy_page(number: int) -> str:
    """One version per language, with what changed since the one before, and its announcement."""
    with reading() as session:
        version = policy_version(session, number)
        before = policy_version(session, number - 1)
        newest = policy_version(session)
        told = announcement(session, number)
    if version is None or newest is None:
        abort(404)
    return render_template(
        "admin/purposes/policy_version.html",
        version=version,
        before=before,
        texts=[(one, version.texts[one]) for one in _in_order(version.texts)],
        compared=_compared(version, before),
        told=told,
        is_newest=version.number == newest.number,
        done=said(MESSAGES),
    )


@blueprint.get("/policy/new")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
def write_policy() -> Response:
    """The form for the next version, beginning with the words of the newest."""
    with reading() as session:
        newest = policy_version(session)
    form: dict[str, str] = {"weight": Weight.MINOR, "based_on": str(newest.number if newest else 0)}
    for locale in settings().locales:
        text = newest.texts.get(locale) if newest else None
        form[f"body-{locale}"] = text.body if text else ""
        form[f"changes-{locale}"] = ""
    return _write_page(form)


@blueprint.post("/policy/new")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
@takes(LONG_TEXTS)
def publish_new_policy() -> Response:
    """Look at it first, or publish it. Whoever was slower than somebody else loses no word."""
    form = _form()
    texts = [PolicyText(one, form[f"changes-{one}"], form[f"body-{one}"]) for one in settings().locales]
    if request.form.get("do") != "publish":
        return _write_page(form, preview=texts)
    weight, now = Weight.MAJOR if form["weight"] == Weight.MAJOR else Weight.MINOR, utc_now()
    try:
        with transaction() as session:
            newest = policy_version(session)
            if form["based_on"] != str(newest.number if newest else 0):
                return _write_page(form, problem=("", "newer"))
            number = publish_policy(session, texts, weight, wanted=settings().locales, now=now)
            target = AuditTarget(AuditObject.POLICY, number)
            record_audit(session, staff_id(), AuditAction.POLICY_PUBLISHED, target, data={"weight": weight}, now=now)
    except InvalidValue as error:
        return _write_page(form, problem=(error.pointer or "", "missing"))
    except Conflict as error:
        return _write_page(form, problem=("", "newer" if error.pointer == "/based_on" else "same"))
    return done("admin.policy_page", "published", number=number)


@blueprint.get("/policy/<int:number>/announce")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
@fresh
def ask_to_announce(number: int) -> str:
    """What will happen, before it does."""
    with reading() as session:
        version = policy_version(session, number)
    if version is None:
        abort(404)
    return render_template(
        "admin/are_you_sure.html",
        title=gettext("Tell everybody of version %(number)s?", number=number),
        happens=[
            gettext("Everybody who can be reached gets a mail, also those who opted out of marketing."),
            gettext("Erased and blocked people and addresses that bounce get none."),
            gettext("You can pause it, but what has been sent cannot be taken back."),
        ],
        action=f"/admin/policy/{number}/announce",
        button=gettext("Tell everybody"),
        back=f"/admin/policy/{number}",
        fields={"back": f"/admin/policy/{number}/announce"},
    )


@blueprint.post("/policy/<int:number>/announce")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
@fresh
def announce_policy(number: int) -> Response:
    """Begin to tell everybody."""
    return _change(number, "announced", lambda session: begin_announcement(session, number, now=utc_now()))


@blueprint.post("/policy/<int:number>/pause")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
def pause_policy(number: int) -> Response:
    """Take up nobody more."""
    return _change(number, "paused", lambda session: pause_announcement(session, number, now=utc_now()))


@blueprint.post("/policy/<int:number>/resume")
@access(Access.STAFF)
@needs(Permission.PUBLISH_POLICY)
def resume_policy(number: int) -> Response:
    """Go on where it was paused."""
    return _change(number, "resumed", lambda session: resume_announcement(session, number))


def _change(number: int, what: str, change: Callable[[Any], None]) -> Response:
    try:
        with transaction() as session:
            change(session)
            target = AuditTarget(AuditObject.POLICY, number)
            record_audit(session, staff_id(), AuditAction.POLICY_ANNOUNCED, target, data={"step": what}, now=utc_now())
    except Conflict:
        return done("admin.policy_page", "over", number=number)
    return done("admin.policy_page", what, number=number)


def _form() -> dict[str, str]:
    """What was typed, with its line breaks."""
    names = [f"{field}-{locale}" for locale in settings().locales for field in ("changes", "body")]
    return {
        **{name: typed_lines(name) for name in names},
        "weight": request.form.get("weight", "")[:16],
        "based_on": request.form.get("based_on", "")[:16],
    }


def _write_page(
    form: dict[str, str], *, preview: list[PolicyText] | None = None, problem: tuple[str, str] | None = None
) -> Response:
    with reading() as session:
        newest = policy_version(session)
        begun_with = policy_version(session, _number(form["based_on"]))
    is_newer = problem is not None and problem[1] == "newer"
    if is_newer:
        form = {**form, "based_on": str(newest.number if newest else 0)}
    page = render_template(
        "admin/purposes/policy_new.html",
        form=form,
        theirs=_compared(newest, begun_with) if is_newer and newest else {},
        locales=settings().locales,
        preview=[(one, list(blocks_of(one.body))) for one in preview or ()],
        compared={one.locale: _against(one, newest) for one in preview or ()},
        problem=problem,
        newest=newest,
    )
    return make_response(page, 200 if problem is None else 409 if problem[1] in {"newer", "same"} else 422)


def _in_order(locales: Collection[str]) -> list[str]:
    """The languages of the service in their order, then others."""
    known = settings().locales
    return [*(one for one in known if one in locales), *sorted(set(locales) - set(known))]


def _number(text: str) -> int:
    """The version that the writer began with; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _compared(version: PolicyVersion, before: PolicyVersion | None) -> dict[str, Any]:
    return {locale: _against(text, before) for locale, text in version.texts.items()}


def _against(text: PolicyText, before: PolicyVersion | None) -> Any:
    """The differences to the same language of an earlier version; None where there is none."""
    old = before.texts.get(text.locale) if before else None
    return differences(old.body, text.body) if old else None
