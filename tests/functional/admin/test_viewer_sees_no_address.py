"""Somebody who may not see addresses meets none: on no page, in no file, in no answer to a form."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.extensions import limiter
from preferences.models.recipient import RecipientRow
from preferences.models.staff import StaffRow
from preferences.web.access import Access, declared_access
from tests.support.every_admin_page import _path, admin_pages, fill
from tests.support.staff import signed_in


def test_no_page_or_file_shows_a_viewer_an_address(app: Flask, session: Session) -> None:
    viewer = signed_in(app, session, Role.VIEWER, "viewer@staff.example")
    values = fill(session, viewer.staff)
    addresses = {one for one in session.scalars(select(RecipientRow.address)) if one}
    names = {one for one in session.scalars(select(RecipientRow.name)) if one}
    staff = {one.address for one in session.scalars(select(StaffRow))} - {viewer.staff.address}
    session.rollback()
    assert len(addresses) > 5
    pages = set(admin_pages(app, values).values())
    files = {
        _path(rule, values)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.")
        and "GET" in (rule.methods or ())
        and "." in rule.rule.rsplit("/", 1)[1]
        and "<form>" not in rule.rule
        and "entry" not in rule.rule
        and declared_access(app.view_functions[rule.endpoint]) is Access.STAFF
    }
    searched = {f"/admin/recipients?q={one}" for one in sorted(addresses)[:2]}
    opened = 0
    for path in sorted(pages | files | searched):
        limiter.reset()
        answer = viewer.get(path)
        if answer.status_code != 200:
            assert answer.status_code in {303, 403, 404}, path
            continue
        opened += 1
        text = answer.text
        asked = path.partition("?q=")[2]
        shown = {one for one in addresses | staff if one in text and one != asked}
        assert not shown, f"{path}: {shown}"
        named = {one for one in names if one in text}
        assert not named, f"{path}: {named}"
    assert opened > 15


@pytest.mark.parametrize("text", ["anna@example.se", "Anna Ö"])
def test_what_a_viewer_searched_for_is_not_in_the_audit(app: Flask, session: Session, text: str) -> None:
    viewer = signed_in(app, session, Role.VIEWER, "viewer@staff.example")
    admin = signed_in(app, session, Role.ADMINISTRATOR)
    assert viewer.get("/admin/recipients", query_string={"q": text}).status_code == 200
    assert text not in admin.get("/admin/audit").text
