"""Nothing about a person's rights can be done without an open session and its form, whatever link is at hand (T6, T11)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.models import Base
from preferences.models.step_up import StepUpRow
from tests.factories import link, purpose
from tests.support.client import StrictClient
from tests.support.full_person import make_full_person
from tests.support.step_up import open_own_data, step_up

FORMS = {
    "/me/correct": {"name": "X", "shown-name": "x"},
    "/me/address": {"address": "thief@example.com"},
    "/me/address/cancel": {},
    "/me/requests": {"kind": "object", "text": "x"},
    "/me/requests/R-AAAA0001/withdraw": {},
    "/me/restrict": {"action": "restrict"},
    "/me/storage": {"confirm": "erase"},
    "/me/erase": {"confirm": "erase"},
}
forms = pytest.mark.parametrize("path", FORMS)


def _stored(session: Session) -> str:
    session.rollback()
    tables = [table for table in Base.metadata.sorted_tables if table.name != StepUpRow.__tablename__]
    found: Any = [session.execute(select(one).order_by(*one.primary_key)).all() for one in tables]
    session.rollback()
    return repr(found)


@forms
@pytest.mark.parametrize("csrf", [{}, {"csrf": ""}, {"csrf": "A" * 43}])
def test_without_the_forms_token_nothing_happens(app: Flask, session: Session, path: str, csrf: dict[str, str]) -> None:
    me = step_up(app, make_full_person(session))
    before = _stored(session)
    assert me.client.post(path, data={**FORMS[path], **csrf}).status_code == 400
    assert _stored(session) == before


@forms
def test_another_sessions_token_is_worth_nothing(app: Flask, session: Session, path: str) -> None:
    me, bo = step_up(app, make_full_person(session)), open_own_data(app, session, "bo@example.se")
    before = _stored(session)
    assert me.client.post(path, data={**FORMS[path], "csrf": bo.csrf()}).status_code == 400
    assert _stored(session) == before


@forms
def test_without_a_session_nothing_happens(app: Flask, session: Session, client: StrictClient, path: str) -> None:
    me = step_up(app, make_full_person(session))
    csrf = me.csrf()
    before = _stored(session)
    assert client.post(path, data={**FORMS[path], "csrf": csrf}).status_code == 303
    assert _stored(session) == before


@forms
def test_looking_changes_nothing(app: Flask, session: Session, path: str) -> None:
    me = step_up(app, make_full_person(session))
    before = _stored(session)
    for method in ("GET", "HEAD"):
        assert me.client.open(path, method=method, query_string=FORMS[path]).status_code in {200, 405}
    assert _stored(session) == before


@pytest.mark.parametrize("capability", [Capability.UNSUBSCRIBE, Capability.PREFERENCES])
@forms
def test_a_link_from_a_mail_can_do_none_of_it(
    app: Flask, session: Session, client: StrictClient, path: str, capability: Capability
) -> None:
    anna = make_full_person(session)
    token = link(anna, purpose(session, "marketing"), capability)
    before = _stored(session)
    prefix = "/u/" if capability is Capability.UNSUBSCRIBE else "/p/"
    for target in (path, f"{path}?token={token}", f"{prefix}{token}{path.removeprefix('/me')}", f"/c/address/{token}"):
        answer = client.post(target, data={**FORMS[path], "token": token, "answer": "yes"})
        assert answer.status_code in {200, 303, 404, 405}
        assert "Set-Cookie" not in answer.headers
    assert _stored(session) == before
