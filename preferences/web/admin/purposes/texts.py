"""Writing: the next version of a purpose's texts, and a purpose or topic of one's own. Looked at first, then published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, make_response, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.basis_rules import BasisLaw, check_basis, rule_of
from preferences.domain.catalogue import Described
from preferences.domain.errors import Conflict, InvalidValue
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose, PurposeId, check_texts
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.notice_versions import Published, published_purposes
from preferences.services.purposes.purpose_order import add_purpose_last
from preferences.services.purposes.purposes import NewPurpose, publish_version
from preferences.services.sign_up.forms import forms_offering
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, done
from preferences.web.admin.guard import LONG_TEXTS, needs, staff_id, takes
from preferences.web.plumbing import settings, utc_now

from .form import (
    CONFLICTS,
    Form,
    basis_of,
    empty_form,
    form_of,
    locales_of,
    number_of,
    problem_of,
    texts_of,
    typed_form,
)
from .preview import one_control
from .purposes import compared, keys_of

Problem = tuple[str, Any]


@blueprint.get("/purposes/<key>/text")
@access(Access.STAFF)
@needs(Permission.PUBLISH_TEXTS)
def write_text(key: str) -> Response:
    """The form for the next version, beginning with the words of the newest."""
    one, above = _found(key)
    return _write_page(one, above, form_of(one.described))


@blueprint.post("/purposes/<key>/text")
@access(Access.STAFF)
@needs(Permission.PUBLISH_TEXTS)
@takes(LONG_TEXTS)
def publish_text(key: str) -> Response:
    """Look at it first, or publish it as a new version. Whoever was slower than somebody else loses no word."""
    one, above = _found(key)
    form = typed_form(locales_of(one.described))
    if one.purpose.is_archived:
        return _write_page(one, above, form, conflict="archived")
    if one.purpose.about is About.EVERYTHING:
        form |= {"lawful_basis": one.purpose.lawful_basis.value, "customer_exception": ""}
    try:
        wanted, basis = texts_of(form, locales_of(one.described)), _basis(form)
        _check_basis(key, above, one.purpose.about, basis, form)
        check_texts(wanted)
        if request.form.get("do") != "publish":
            return _write_page(one, above, form, preview=_proposed(one.described, form, basis))
        if _changes_basis(one, form, basis) and form["sure"] != "1":
            raise InvalidValue("A change of basis is looked at first.", pointer="/sure")
        with transaction() as session:
            number = publish_version(
                session,
                key,
                texts=wanted,
                lawful_basis=basis,
                customer_exception=bool(form["customer_exception"]),
                based_on=number_of(form),
                now=(now := utc_now()),
            )
            data = {"version": number, "lawful_basis": basis}
            record_audit(session, staff_id(), AuditAction.TEXT_PUBLISHED, _target(one.purpose.id), data=data, now=now)
    except InvalidValue as error:
        preview = _proposed(one.described, form, basis) if error.pointer == "/sure" else None
        return _write_page(one, above, form, problem=problem_of(error), preview=preview)
    except Conflict as error:
        one, above = _found(key)
        form["based_on"] = str(one.described.number)
        return _write_page(one, above, form, conflict=CONFLICTS.get(error.pointer or "", "archived"))
    return done("admin.purpose_page", "published", key=key)


@blueprint.get("/purposes/new-purpose")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
def write_purpose() -> Response:
    """The form for a purpose, or with `?under=` for a topic."""
    return _new_page(_above(), empty_form(settings().locales))


@blueprint.post("/purposes/new-purpose")
@access(Access.STAFF)
@needs(Permission.EDIT_PURPOSES)
@takes(LONG_TEXTS)
def publish_purpose() -> Response:
    """Look at it first, or add it."""
    above, form = _above(), typed_form(settings().locales)
    try:
        new = _new(above, form)
        _check_basis(new.key, above, new.about, new.lawful_basis, form)
        check_texts(new.texts)
        if request.form.get("do") != "publish":
            return _new_page(above, form, preview=_described(new, above))
        with transaction() as session:
            purpose_id = add_purpose_last(session, new, now=(now := utc_now()))
            data = {"lawful_basis": new.lawful_basis, "about": new.about}
            record_audit(session, staff_id(), AuditAction.PURPOSE_ADDED, _target(purpose_id), data=data, now=now)
    except InvalidValue as error:
        return _new_page(above, form, problem=problem_of(error))
    except Conflict as error:
        return _new_page(above, form, conflict="archived" if error.pointer == "/parent" else "taken")
    return done("admin.purpose_page", "added", key=new.key)


def _found(key: str) -> tuple[Published, Published | None]:
    """The purpose in use and the one above it; else there is no such page."""
    with reading() as session:
        known = {one.purpose.id: one for one in published_purposes(session)}
    one = next((one for one in known.values() if one.purpose.key == key), None)
    if one is None:
        abort(404)
    return one, known.get(one.purpose.parent_id) if one.purpose.parent_id else None


def _above() -> Published | None:
    under = request.form.get("under", "")[:64] if request.method == "POST" else asked("under", most=64)
    if not under:
        return None
    above, none = _found(under)
    if none is not None or above.purpose.about is About.EVERYTHING:
        abort(404)
    if above.purpose.is_archived and request.method != "POST":  # what was typed meanwhile is not lost
        abort(404)
    return above


def _basis(form: Form) -> LawfulBasis:
    basis = basis_of(form)
    if basis is None:
        raise InvalidValue("There are two.", pointer="/lawful_basis")
    return basis


def _check_basis(key: str, above: Published | None, about: About, basis: LawfulBasis, form: Form) -> None:
    """What the law says of it, already when it is only looked at."""
    parent = above.purpose.key if above else None
    check_basis(key, parent, about, basis, customer_exception=bool(form["customer_exception"]))


def _law_of(key: str, above: Published | None) -> BasisLaw | None:
    """Why a page offers consent alone."""
    rule = rule_of(key, above.purpose.key if above else None)
    return rule.law if rule else None


def _changes_basis(one: Published, form: Form, basis: LawfulBasis) -> bool:
    now = (one.purpose.lawful_basis, one.purpose.customer_exception)
    return now != (basis, bool(form["customer_exception"]))


def _new(above: Published | None, form: Form) -> NewPurpose:
    about = above.purpose.about.value if above else form["about"]
    if about not in {About.MAIL, About.PUBLICATION}:
        raise InvalidValue("Mail or publication.", pointer="/about")
    return NewPurpose(
        key=form["key"],
        about=About(about),
        lawful_basis=_basis(form),
        customer_exception=bool(form["customer_exception"]),
        parent_key=above.purpose.key if above else None,
        texts=texts_of(form, settings().locales),
    )


def _proposed(one: Described, form: Form, basis: LawfulBasis) -> Described:
    """The purpose as the form would have it."""
    purpose = replace(one.purpose, lawful_basis=basis, customer_exception=bool(form["customer_exception"]))
    texts = {text.locale: text for text in texts_of(form, locales_of(one))}
    return Described(purpose, one.number + 1, texts)


def _described(new: NewPurpose, above: Published | None) -> Described:
    """A purpose that is not stored yet, as a page needs it."""
    purpose = Purpose(
        id=PurposeId(0),
        key=new.key,
        parent_id=above.purpose.id if above else None,
        about=new.about,
        lawful_basis=new.lawful_basis,
        customer_exception=new.customer_exception,
        notice_version_id=NoticeVersionId(0),
    )
    return Described(purpose, 1, {text.locale: text for text in new.texts})


def _target(purpose_id: int) -> AuditTarget:
    return AuditTarget(AuditObject.PURPOSE, int(purpose_id))


def _write_page(
    one: Published,
    above: Published | None,
    form: Form,
    *,
    preview: Described | None = None,
    problem: Problem | None = None,
    conflict: str = "",
) -> Response:
    if one.purpose.is_archived and not conflict:
        abort(404)
    with reading() as session:
        forms = forms_offering(session, [one.purpose.key])
    page = render_template(
        "admin/purposes/purpose_text.html",
        forms=keys_of(forms),
        one=one,
        above=above,
        law=_law_of(one.purpose.key, above),
        form=form,
        locales=locales_of(one.described),
        cards=_cards(preview, above),
        compared={text.locale: compared(text, one) for text in preview.texts.values()} if preview else {},
        proposed=preview,
        problem=problem,
        conflict=conflict,
    )
    return make_response(page, 409 if conflict else 422 if problem else 200)


def _new_page(
    above: Published | None,
    form: Form,
    *,
    preview: Described | None = None,
    problem: Problem | None = None,
    conflict: str = "",
) -> Response:
    page = render_template(
        "admin/purposes/purpose_new.html",
        above=above,
        about=above.purpose.about if above else None,
        law=_law_of("", above),
        form=form,
        locales=settings().locales,
        cards=_cards(preview, above),
        proposed=preview,
        problem=("key", "") if conflict == "taken" else problem,
        conflict=conflict,
    )
    return make_response(page, 409 if conflict else 422 if problem else 200)


def _cards(preview: Described | None, above: Published | None) -> list[Any]:
    return one_control(preview, above.described if above else None, list(preview.texts)) if preview else []
