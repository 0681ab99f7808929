"""Signs staff in for tests: at once by the service, or step by step as a person does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.roles import Role
from preferences.domain.totp import code_at, new_secret, step_of
from preferences.models.audit import AuditRow
from preferences.models.staff import StaffRow
from preferences.queries.staff.staff import StaffView, staff_by_id
from preferences.services.staff.passwords import hash_password
from preferences.services.staff.sessions import begin_session
from preferences.services.staff.staff import NewStaff, create_staff
from preferences.web.admin.cookie import COOKIE
from preferences.web.secret_cookie import CSRF_FIELD

from .client import StrictClient
from .page import Page

PASSWORD = "åtta gröna kullar vid sjön"
_HASHED: list[str] = []


@dataclass(frozen=True)
class StaffBrowser:
    """A browser in which somebody is signed in. `post` sends a form with its token, as a page would."""

    client: StrictClient
    staff: StaffView

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        return self.client.post(path, data={CSRF_FIELD: self.csrf, **(data or {})}, **more)

    @cached_property
    def csrf(self) -> str:
        return token_on(self.client.get("/admin/account"))


def make_staff(
    session: Session, role: Role = Role.ADMINISTRATOR, address: str = "stina@example.se", *, name: str = "Stina Berg"
) -> StaffView:
    """Somebody on the staff with a password (PASSWORD) and an app enrolled. Committed."""
    made = create_staff(
        session, NewStaff(address=address, name=name, role=role, locale="sv"), by=None, now=datetime.now(UTC)
    )
    if not _HASHED:
        _HASHED.append(hash_password(PASSWORD))
    row = session.get_one(StaffRow, made.id)
    row.password_hash, row.totp_secret = _HASHED[0], new_secret()
    session.commit()
    found = staff_by_id(session, made.id)
    session.commit()
    assert found is not None
    return found


def signed_in(
    app: Flask,
    session: Session,
    role: Role = Role.ADMINISTRATOR,
    address: str = "stina@example.se",
    *,
    at: datetime | None = None,
) -> StaffBrowser:
    """A browser in which somebody new in this role is signed in, freshly, without the detour over the form."""
    return signed_in_as(app, session, make_staff(session, role, address), at=at)


def signed_in_as(app: Flask, session: Session, staff: StaffView, *, at: datetime | None = None) -> StaffBrowser:
    """One more browser of the same person."""
    begun = begin_session(session, staff.id, browser="Firefox, Linux", now=at or datetime.now(UTC))
    session.commit()
    client = browser(app)
    client.set_cookie(COOKIE, begun.secret, path="/admin")
    return StaffBrowser(client, staff)


def browser(app: Flask) -> StrictClient:
    """A client that keeps cookies, as browsers do."""
    client = app.test_client(use_cookies=True)
    assert isinstance(client, StrictClient)
    return client


def token_on(response: TestResponse) -> str:
    """The token that the forms of a page carry."""
    found = re.search(rf'name="{CSRF_FIELD}" value="([^"]+)"', response.text)
    assert found is not None, response.text
    return found[1]


def seen_on(page: Page) -> str:
    """What the one form of a page that changes something stored says that it was opened with."""
    return page.find("input", name="seen").get("value", "")


def code_of(session: Session, staff: StaffView, *, steps: int = 0) -> str:
    """The code that their app shows now, or `steps` times 30 seconds later."""
    secret = session.scalar(select(StaffRow.totp_secret).where(StaffRow.id == staff.id))
    session.commit()
    assert secret is not None
    return code_at(secret, step_of(datetime.now(UTC)) + steps)


def audited(session: Session) -> list[str]:
    """The actions in the audit, oldest first."""
    session.commit()
    found = [one.value for one in session.scalars(select(AuditRow.action).order_by(AuditRow.id))]
    session.commit()
    return found


def code_shown(secret: str) -> str:
    """The code for a secret as a page shows it, in groups."""
    return code_at(secret.replace(" ", ""), step_of(datetime.now(UTC)))
