"""Rounds to an identity provider and back, as a browser makes them, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.config import Settings
from preferences.models.audit import AuditRow

from .client import StrictClient
from .identity_provider import FakeProvider
from .page import Page

START = "/admin/single-sign-on"
Configure = Callable[..., Settings]
"""Changes settings of a test."""


def go_round(client: StrictClient, fake: FakeProvider, path: str = START) -> TestResponse:
    """Off to the provider, back, and the button pressed: the answer to that."""
    back = fake.welcome(client.get(path).location)
    return finish(client, back)


def finish(client: StrictClient, back: str) -> TestResponse:
    page = Page(client.get(back))
    [form] = [one for one in page.forms() if one.path.startswith(f"{START}/return")]
    return form.submit(client)


def entries(session: Session, action: str) -> list[dict[str, Any]]:
    session.commit()
    rows = list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))
    session.commit()
    return [dict(one.data or {}) for one in rows]


def why(response: TestResponse, session: Session) -> str:
    """The reason on record; the page is one that helps."""
    assert response.status_code == 403
    page = Page(response)
    assert page.title.startswith(("Fel: Du är inte inloggad", "Fel: Det blev inte bekräftat"))
    ways = [link.get("href", "") for link in page.all("a")]
    assert any(way.startswith(START) for way in ways)
    assert any(way.startswith(("/admin/sign-in", "/admin/confirm")) for way in ways)
    found: str = entries(session, "single_sign_on_refused")[-1]["why"]
    return found
