"""The page of settings: nothing secret on it, a self-check that says what to do, a test mail to oneself."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from preferences.config import Environment, Settings
from preferences.domain.key_ages import KeyKind
from preferences.domain.roles import Role
from preferences.models.mailer import ApiKeyRow
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.transaction import reading
from preferences.models.upkeep import KeySightingRow
from preferences.models.worker_state import WorkerRow
from preferences.web.admin.settings.line import Verdict
from preferences.web.admin.settings.self_check import self_check
from preferences.web.admin.settings.setting_values import key_id, shown_settings, without_password
from preferences.worker.heartbeat import Heartbeat
from tests.factories import make_key
from tests.support.page import Page
from tests.support.rights import send_all
from tests.support.staff import StaffBrowser, audited, signed_in


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def line(officer: StaffBrowser, title: str) -> str:
    """One line of the self-check."""
    page = Page(officer.get("/admin/settings"))
    rows = [" ".join(" ".join(row.itertext()).split()) for row in page.all("tr")]
    return next(row for row in rows if row.startswith(title))


def configured(app: Flask) -> Settings:
    found: Settings = app.extensions["preferences.settings"]
    return found


def test_every_setting_stands_there_and_no_secret(app: Flask, officer: StaffBrowser) -> None:
    page = officer.get("/admin/settings").text
    given = configured(app)
    for field in fields(Settings):
        assert f"PREFERENCES_{field.name.upper()}<" in page
    keys = [*given.secret_keys, *given.link_keys, *given.data_keys, given.index_key, *given.seal_keys]
    for key in keys:
        assert key.hex() not in page
        assert repr(key) not in page
    assert key_id(given.data_keys[-1]) in page


def test_what_a_setting_is_for_is_said_in_the_language_of_the_page(officer: StaffBrowser) -> None:
    for locale, said, other in (
        ("sv", "tidszon för datum på sidor och i mejl", "time zone of the dates on pages and in mail"),
        ("en", "time zone of the dates on pages and in mail", "tidszon för datum på sidor och i mejl"),
    ):
        page = officer.get(f"/admin/settings?lang={locale}").text
        assert said in page
        assert other not in page
        assert "](" not in page, "no marks of the documentation"


def test_passwords_are_shown_nowhere(app: Flask) -> None:
    secret = "hemligt"
    given = replace(
        configured(app),
        database_url=f"postgresql+psycopg://eva:{secret}@db.example:5432/preferences?password={secret}",
        rate_limit_storage=f"redis://:{secret}@cache:6379/0",
        mail_username=secret,
        mail_password=secret,
        metrics_key=secret,
    )
    with app.test_request_context():
        shown = {one.name: one for one in shown_settings(given)}
    assert not [one for one in shown.values() if secret in one.value]
    assert shown["PREFERENCES_DATABASE_URL"].value == "postgresql+psycopg://db.example:5432/preferences"
    assert shown["PREFERENCES_RATE_LIMIT_STORAGE"].value == "redis://cache:6379/0"
    assert shown["PREFERENCES_MAIL_PORT"].is_default
    assert not shown["PREFERENCES_MAIL_PASSWORD"].is_default


@pytest.mark.parametrize("url", ["redis://:hemligt@[::1", "x://hemligt@h:99999999", "x://a:hemligt@h:x/"])
def test_an_address_that_cannot_be_read_is_not_shown(app: Flask, url: str) -> None:
    with app.test_request_context():
        assert "hemligt" not in without_password(url)


def test_only_what_is_set_otherwise(officer: StaffBrowser) -> None:
    page = officer.get("/admin/settings?show=changed").text
    assert "PREFERENCES_DATABASE_URL" in page
    assert "PREFERENCES_MAIL_TIMEOUT" not in page


def test_the_worker_is_looked_at(session: Session, officer: StaffBrowser) -> None:
    assert "Ingen arbetsprocess är i gång" in line(officer, "Arbetsprocess")
    now = datetime.now(UTC)
    values = {"id": "a", "name": "server", "started_at": now, "seen_at": now, "lanes": {"mail": now.isoformat()}}
    session.execute(insert(WorkerRow).values(values))
    session.commit()
    assert "1 är i gång" in line(officer, "Arbetsprocess")
    session.execute(update(WorkerRow).values(lanes={"mail": (now - timedelta(hours=1)).isoformat()}))
    session.commit()
    assert "står still: mail" in line(officer, "Arbetsprocess")
    session.execute(update(WorkerRow).values(seen_at=now - timedelta(hours=1)))
    session.commit()
    assert "livstecken" in line(officer, "Arbetsprocess")


def test_mail_that_does_not_go_is_seen(session: Session, officer: StaffBrowser) -> None:
    assert "i ordning" in line(officer, "Utkorg")
    at = datetime.now(UTC) - timedelta(hours=1)
    job = OutboxJobRow(kind=JobKind.MAIL, recipient_id=None, payload={}, created_at=at, run_at=at, attempts=2)
    session.add(job)
    session.commit()
    assert "titta på det här" in line(officer, "Utkorg")
    assert "1 mejl har prövats" in line(officer, "Mejl")


def test_the_address_of_the_request_is_compared_with_that_in_mail(app: Flask, officer: StaffBrowser) -> None:
    assert configured(app).base_url in line(officer, "Adress")
    assert "titta på det här" in line(officer, "Adress")
    given, plain = configured(app), replace(configured(app), base_url="http://localhost")
    for where, what, verdict in (
        ("https://preferences.example", given, Verdict.GOOD),
        ("http://preferences.example", given, Verdict.LOOK),
        ("http://localhost", plain, Verdict.GOOD),
        ("http://localhost", replace(plain, env=Environment.PRODUCTION), Verdict.LOOK),
    ):
        with app.test_request_context("/admin/settings", base_url=where), reading() as session:
            assert next(self_check(session, what, now=datetime.now(UTC))).verdict is verdict


def test_a_test_mail_goes_to_whoever_asks_and_once_a_minute(
    app: Flask, session: Session, officer: StaffBrowser
) -> None:
    first = officer.post("/admin/settings/test-mail")
    assert "sent" in first.location
    assert "wait" in officer.post("/admin/settings/test-mail").location
    assert audited(session)[-1] == "test_mail_sent"
    jobs = session.scalars(select(OutboxJobRow)).all()
    session.commit()
    assert [(one.payload["template"], one.payload["to"]) for one in jobs] == [("staff_test", officer.staff.address)]
    mails = send_all(app)
    assert {to: str(mail.parsed["Subject"]) for to, mail in mails.items()} == {
        officer.staff.address: "Ett provmejl från Exempelbolaget AB"
    }


def test_a_marketer_sees_no_settings(app: Flask, session: Session) -> None:
    marketer = signed_in(app, session, Role.MARKETER)
    assert marketer.get("/admin/settings").status_code == 403
    assert marketer.post("/admin/settings/test-mail").status_code == 403


def test_every_key_says_how_old_it_is_and_asks_for_a_rotation_after_a_year(
    app: Flask, session: Session, officer: StaffBrowser
) -> None:
    given, now = configured(app), datetime.now(UTC)
    assert "inte noterat" in line(officer, "Nycklar som signerar länkar")
    Heartbeat(threading.Event(), lambda: now - timedelta(days=430)).run_batch()
    told = line(officer, "Nycklar som signerar länkar")
    assert "Den senaste är 14 månader gammal." in told
    assert "flask keys rotate link" in told
    assert "re-encrypt" in line(officer, "Krypteringsnycklar")
    Heartbeat(threading.Event(), lambda: now).run_batch()
    assert "14 månader" in line(officer, "Nycklar för kakor"), "what is on record stays"
    stored = session.execute(select(KeySightingRow.kind, KeySightingRow.fingerprint)).all()
    assert {kind for kind, _ in stored} == {*KeyKind}
    keys = [key for some in given.keys_by_kind.values() for key in some]
    assert not [one for _, one in stored if any(one in key or one in hashlib.sha256(key).digest() for key in keys)]
    session.execute(update(KeySightingRow).values(first_seen_at=now - timedelta(days=3, hours=1)))
    assert "Ingen används" in line(officer, "Avsändares API-nycklar")
    make_key(session)
    key = session.scalars(select(ApiKeyRow)).one()
    key.created_at = now - timedelta(days=400)
    session.commit()
    assert "använts i 3 dagar" in line(officer, "Nycklar för kakor")
    told = line(officer, "Avsändares API-nycklar")
    assert "13 månader" in told
    key.revoked_at = now
    session.commit()
    assert "Ingen används" in line(officer, "Avsändares API-nycklar")
