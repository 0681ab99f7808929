"""ESPs set up from the admin pages: what to enter where, whether anything has come, and secrets shown once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.esp_events import EspEventType
from preferences.domain.roles import Role
from preferences.integrations.esp import PROVIDERS
from preferences.models.audit import AuditRow
from preferences.models.esp import EspEventRow
from preferences.models.transaction import reading
from preferences.queries.esp.esp import HookView, hook_of
from preferences.services.webhooks.mailers import create_mailer
from preferences.web.admin.words.providers import PLACES, SCHEMES, SECRETS
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in

HOOKS = "/admin/mailers/newsletter/hooks"


@pytest.fixture
def boss(app: Flask, session: Session) -> StaffBrowser:
    """An administrator; there is a mailer."""
    create_mailer(session, key="newsletter", name="Nyhetsbrevet", now=datetime.now(UTC))
    session.commit()
    return signed_in(app, session)


def hook(provider: str) -> HookView | None:
    with reading() as session:
        return hook_of(session, "newsletter", provider)


def test_every_provider_is_described() -> None:
    assert set(PLACES) == set(PROVIDERS)
    schemes = [(name, scheme) for name, provider in PROVIDERS.items() for scheme in provider.schemes]
    assert set(SECRETS) == {(name, field.name) for name, scheme in schemes for field in scheme.theirs}
    assert {scheme.name for name, scheme in schemes if len(PROVIDERS[name].schemes) > 1} <= set(SCHEMES)


def test_every_provider_has_a_page_that_says_what_to_do_first(boss: StaffBrowser) -> None:
    page = Page(boss.get(HOOKS))
    for name, provider in PROVIDERS.items():
        assert f"{HOOKS}/{name}" in page.html
        assert f"{provider.title} rapporterar inte" in Page(boss.get(f"{HOOKS}/{name}")).text
        assert boss.get(f"{HOOKS}/{name}/set-up").status_code == 200


def test_what_is_shown_once_works_and_stands_nowhere_else(
    session: Session, boss: StaffBrowser, client: StrictClient
) -> None:
    page = Page(boss.post(f"{HOOKS}/postmark/set-up", {"purpose": "marketing"}))
    url = page.find("code", **{"class": "secret"}).text or ""
    password = url.partition("hook:")[2].partition("@")[0]
    assert len(password) >= 32
    found = hook("postmark")
    assert found is not None
    assert found.purpose_id is not None
    proof = base64.b64encode(f"hook:{password}".encode()).decode()
    answer = client.post("/hooks/esp/postmark/newsletter", json=[], headers={"Authorization": f"Basic {proof}"})
    assert answer.status_code == 200
    shown = boss.get(f"{HOOKS}/postmark")
    assert password not in shown.text
    assert "/hooks/esp/postmark/newsletter" in shown.text
    assert audited(session)[-1] == "mailer_changed"
    assert password not in str(session.scalars(select(AuditRow.data)).all())


def test_a_secret_of_the_provider_is_taken_and_never_shown(session: Session, boss: StaffBrowser) -> None:
    answer = boss.post(f"{HOOKS}/mailgun/set-up", {"secret-signing_key": "  key-abcdef0123  "})
    assert answer.location == f"{HOOKS}/mailgun?done=set"
    found = hook("mailgun")
    assert found is not None
    assert found.secrets["signing_key"] == "key-abcdef0123"
    assert "key-abcdef0123" not in boss.get(f"{HOOKS}/mailgun").text
    assert "key-abcdef0123" not in boss.get(f"{HOOKS}/mailgun/set-up").text


@pytest.mark.parametrize(
    ("provider", "form"),
    [
        ("mailgun", {}),
        ("mailgun", {"secret-signing_key": " \x00 "}),
        ("mailgun", {"secret-signing_key": "x" * 9000}),
        ("sendgrid", {"scheme": "signed", "secret-public_key": "not a key"}),
        ("sendgrid", {"scheme": "everything"}),
        ("postmark", {"purpose": "no-such-purpose"}),
    ],
)
def test_what_cannot_verify_anything_is_refused_and_not_repeated(
    boss: StaffBrowser, provider: str, form: dict[str, str]
) -> None:
    answer = boss.post(f"{HOOKS}/{provider}/set-up", form)
    assert answer.status_code == 422
    assert Page(answer).title.startswith("Fel:")
    assert "not a key" not in answer.text
    assert hook(provider) is None


def test_replacing_lets_the_former_secrets_go_on_and_two_at_once_do_not_collide(boss: StaffBrowser) -> None:
    assert boss.post(f"{HOOKS}/postmark/set-up").status_code == 200
    before = hook("postmark")
    assert boss.post(f"{HOOKS}/postmark/set-up").status_code == 409
    form = Page(boss.get(f"{HOOKS}/postmark/set-up")).forms()[-1]
    assert boss.post(form.path, {"replace": "1"}).status_code == 200
    after = hook("postmark")
    assert before is not None
    assert after is not None
    assert after.former_secrets == before.secrets
    assert "Tidigare hemligheter till" in Page(boss.get(f"{HOOKS}/postmark")).text
    assert boss.post(f"{HOOKS}/mailjet/set-up", {"replace": "1"}).status_code == 409


def test_the_last_event_received_is_shown(app: Flask, session: Session, boss: StaffBrowser) -> None:
    boss.post(f"{HOOKS}/postmark/set-up")
    assert "Inget har kommit än." in Page(boss.get(f"{HOOKS}/postmark")).text
    found = hook("postmark")
    assert found is not None
    row = {"mailer_id": found.mailer_id, "provider": "postmark", "received_at": datetime.now(UTC)}
    session.add(EspEventRow(**row, event_key=b"1" * 16, type=EspEventType.BOUNCED, native="<b>HardBounce</b>"))
    session.commit()
    viewer = signed_in(app, session, Role.VIEWER, "vera@example.se")
    page = Page(viewer.get(f"{HOOKS}/postmark"))
    assert "Studsade" in page.text
    assert "<b>HardBounce</b>" in page.text
    assert "rapporterar" in Page(viewer.get(HOOKS)).text
    assert "Sluta lyssna" not in page.text
    for path in ("/admin/mailers", "/admin/mailers/newsletter"):
        assert "Postmark" in Page(viewer.get(path)).text


def test_listening_ends_after_a_review(session: Session, boss: StaffBrowser) -> None:
    boss.post(f"{HOOKS}/postmark/set-up")
    form = Page(boss.get(f"{HOOKS}/postmark/remove")).forms()[-1]
    assert hook("postmark") is not None
    assert boss.post(form.path).status_code == 303
    assert hook("postmark") is None
    assert boss.post(form.path).status_code == 404
    assert audited(session).count("mailer_changed") == 2


@pytest.mark.parametrize("provider", ["nothing", "%00", "å", "x" * 300])
def test_a_provider_that_is_not_there_is_not_found(boss: StaffBrowser, provider: str) -> None:
    for path in ("", "/set-up", "/remove"):
        assert boss.get(f"{HOOKS}/{provider}{path}").status_code == 404
    assert boss.post(f"{HOOKS}/{provider}/set-up").status_code == 404
