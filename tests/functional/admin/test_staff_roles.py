"""Every admin route with every role, from the table of roles; and what no role gets past."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from preferences.domain.audit import AuditAction, AuditObject
from preferences.domain.own_address import AddressCode
from preferences.domain.roles import PERMISSIONS, Permission, Role, may
from preferences.web.access import Access, declared_access
from preferences.web.admin.guard import declared_permission
from preferences.web.admin.words import audit as audit_words
from preferences.web.admin.words import words
from tests.support.client import StrictClient
from tests.support.staff import browser, signed_in

NUMBER = "999999"
"""That of nothing there is."""


def admin_routes(app: Flask) -> Iterator[tuple[str, str, Rule]]:
    """(method, path, rule) of every admin route for which one must be signed in."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin.") and declared_access(app.view_functions[rule.endpoint]) is Access.STAFF:
            path = re.sub(r"<[^>]+>", NUMBER, rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, path, rule


def test_every_admin_view_names_one_permission(app: Flask) -> None:
    unnamed = [
        rule.endpoint
        for _, _, rule in admin_routes(app)
        if declared_permission(app.view_functions[rule.endpoint]) is None
    ]
    assert unnamed == []


def test_every_admin_address_asks_for_staff_but_those_before_the_sign_in(app: Flask) -> None:
    open_to = {
        rule.endpoint: declared_access(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and declared_access(app.view_functions[rule.endpoint]) is not Access.STAFF
    }
    assert set(open_to) == {
        "admin.sign_in",
        "admin.give_password",
        "admin.ask_code",
        "admin.give_code",
        "admin.show_enrolment",
        "admin.finish_enrolment",
        "admin.show_invitation",
        "admin.take_invitation",
        "admin.ask_passkey_alone",
        "admin.give_passkey_alone",
        "admin.ask_second_passkey",
        "admin.give_second_passkey",
        "admin.ask_first_passkey",
        "admin.give_first_passkey",
        "admin.begin_sign_on",
        "admin.come_back",
        "admin.finish_sign_on",
        "admin.signed_out",
    }


@pytest.mark.parametrize("role", Role)
def test_role_opens_what_the_table_says_and_nothing_else(app: Flask, session: Session, role: Role) -> None:
    somebody = signed_in(app, session, role)
    for method, path, rule in admin_routes(app):
        if rule.endpoint == "admin.sign_out":
            continue
        permission = declared_permission(app.view_functions[rule.endpoint])
        assert permission is not None
        send = somebody.post if method == "POST" else somebody.get
        status = send(path).status_code
        assert (status == 403) is not may(role, permission), f"{role} {method} {path}: {status}"
        assert status < 500, f"{role} {method} {path}"


def test_nobody_gets_in_without_a_session(app: Flask, client: StrictClient) -> None:
    for method, path, _ in admin_routes(app):
        answer = client.open(path, method=method)
        assert answer.status_code == 303, f"{method} {path}"
        assert (answer.location or "").startswith("/admin/sign-in"), f"{method} {path}"


def test_no_form_works_without_its_token_or_with_anothers(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    other = signed_in(app, session, Role.ADMINISTRATOR, "other@example.se")
    for method, path, _ in admin_routes(app):
        if method == "GET":
            continue
        for token in ({}, {"csrf": ""}, {"csrf": other.csrf}, {"csrf": "å" * 43}):
            assert stina.client.open(path, method=method, data=token).status_code == 400, f"{method} {path}"
        headers = {"Sec-Fetch-Site": "cross-site"}
        answer = stina.client.open(path, method=method, data={"csrf": stina.csrf}, headers=headers)
        assert answer.status_code == 403, f"{method} {path}"


def test_pages_before_the_sign_in_need_a_token_too(app: Flask) -> None:
    client = browser(app)
    assert client.post("/admin/sign-in", data={"address": "a@example.se", "password": "x"}).status_code == 400


def test_every_admin_answer_is_kept_nowhere(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    for path in ("/admin", "/admin/staff", "/admin/audit", "/admin/account", "/admin/nothing"):
        answer = stina.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


def test_roles_grow_from_viewer_and_administrator_may_everything() -> None:
    assert PERMISSIONS[Role.ADMINISTRATOR] == set(Permission)
    assert all(PERMISSIONS[Role.VIEWER] <= permissions for permissions in PERMISSIONS.values())
    assert set(PERMISSIONS) == set(Role)
    assert not may(Role.VIEWER, Permission.SEE_ADDRESSES)
    assert not may(Role.MARKETER, Permission.EXPORT_DATA)


NOTHING_TO_SAY: dict[str, set[StrEnum]] = {"own_address_todo": {AddressCode.OURS}}
"""Where all is well, nothing has to be done about it."""


def test_every_word_of_the_admin_pages_is_there() -> None:
    for kind, found in words.WORDS.items():
        vocabulary: type[StrEnum] = type(next(iter(found)))
        assert set(found) == set(vocabulary) - NOTHING_TO_SAY.get(kind, set()), kind
    assert set(audit_words.ACTIONS) == set(AuditAction)
    assert set(audit_words.OBJECTS) == set(AuditObject)
