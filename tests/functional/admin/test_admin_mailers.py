"""Mailers and their API keys in the admin pages (L14, M13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.domain.scopes import Scope
from preferences.models.audit import AuditRow
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.mailers import KeyView, keys_of, mailer_by_key
from preferences.services.webhooks.mailers import archive_mailer, create_mailer, revoke_key
from tests.factories import make_key
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in

NEWS = "/admin/mailers/newsletter"


@pytest.fixture
def boss(app: Flask, session: Session) -> StaffBrowser:
    """An administrator."""
    return signed_in(app, session)


def add(boss: StaffBrowser, key: str = "newsletter", name: str = "Nyhetsbrevet") -> None:
    assert boss.post("/admin/mailers", {"key": key, "name": name}).status_code == 303


def keys(mailer: str = "newsletter") -> list[KeyView]:
    with reading() as session:
        return keys_of(session, mailer)


def issue(boss: StaffBrowser, *scopes: Scope, days: str = "365") -> str:
    """The key as the page shows it, this once."""
    answer = boss.post(f"{NEWS}/keys", {"scopes": [*scopes], "days": days})
    assert answer.status_code == 200, answer.text
    return shown(Page(answer))


def shown(page: Page) -> str:
    return page.find("code", **{"class": "secret"}).text or ""


def test_the_first_page_says_what_to_do_first(boss: StaffBrowser) -> None:
    page = Page(boss.get("/admin/mailers"))
    assert "Ingen avsändare än." in page.text
    assert page.forms()[-1].path == "/admin/mailers"


def test_a_mailer_is_added_and_audited(session: Session, boss: StaffBrowser) -> None:
    answer = boss.post("/admin/mailers", {"key": "web-shop", "name": "  Åsas butik  "})
    assert answer.location == "/admin/mailers/web-shop?done=added"
    page = Page(boss.get(answer.location))
    assert page.find("h1").text == "Åsas butik"
    assert "Ingen nyckel än." in page.text
    assert audited(session)[-1] == "mailer_changed"


@pytest.mark.parametrize(
    ("key", "name", "status", "field"),
    [
        ("", "Namn", 422, "key"),
        ("Stor Bokstav", "Namn", 422, "key"),
        ("a" * 65, "Namn", 422, "key"),
        ("<script>", "Namn", 422, "key"),
        ("å", "Namn", 422, "key"),
        ("news", "   ", 422, "name"),
        ("news", "n" * 201, 422, "name"),
        ("newsletter", "En till", 409, "key"),
    ],
)
def test_what_cannot_be_added_is_named_and_nothing_lost(
    session: Session, boss: StaffBrowser, key: str, name: str, status: int, field: str
) -> None:
    add(boss)
    answer = boss.post("/admin/mailers", {"key": key, "name": name})
    assert answer.status_code == status
    page = Page(answer)
    assert f"#field-{field}" in page.html
    assert page.title.startswith("Fel:")
    assert page.find("input", id="field-key").get("value") == key[:100]
    assert audited(session).count("mailer_changed") == 1


def test_a_key_is_shown_once_works_and_stands_nowhere_else(
    session: Session, boss: StaffBrowser, client: StrictClient
) -> None:
    add(boss)
    text = issue(boss, Scope.LINKS, Scope.ELIGIBILITY, days="30")
    assert client.get("/api/v1/key", headers={"Authorization": f"Bearer {text}"}).status_code in {200, 404}
    answer = client.post("/api/v1/eligibility", json={}, headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code not in {401, 403}
    (key,) = keys()
    assert key.scopes == {Scope.LINKS, Scope.ELIGIBILITY}
    assert text.startswith(f"pk_{key.prefix}_")
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - datetime.now(UTC) <= timedelta(days=30)
    secret = text.rpartition(f"{key.prefix}_")[2]
    page = Page(boss.get(NEWS))
    assert f"pk_{key.prefix}" in page.text
    assert secret not in page.html
    recorded = session.scalars(select(AuditRow.data)).all()
    assert audited(session)[-1] == "key_issued"
    assert secret not in str(recorded)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"days": "365"}, "Välj minst en sak som nyckeln får göra."),
        ({"scopes": ["everything", "links; drop"], "days": "30"}, "Välj minst en sak"),
        ({"scopes": ["links"], "days": "-1"}, "Välj något av dessa."),
        ({"scopes": ["links"], "days": "9" * 400}, "Välj något av dessa."),
    ],
)
def test_a_key_without_sense_is_not_issued(boss: StaffBrowser, form: dict[str, object], words: str) -> None:
    add(boss)
    answer = boss.post(f"{NEWS}/keys", form)
    assert answer.status_code == 422
    assert words in answer.text
    assert keys() == []


def test_rotating_lets_the_old_key_go_on_as_long_as_chosen(session: Session, boss: StaffBrowser) -> None:
    make_key(session, Scope.LINKS)
    session.commit()
    (old,) = keys()
    assert "så att inget stannar" in boss.get(f"{NEWS}/keys/{old.prefix}/rotate").text
    answer = boss.post(f"{NEWS}/keys/{old.prefix}/rotate", {"hours": "24"})
    assert answer.status_code == 200
    before, after = keys()
    assert shown(Page(answer)).startswith(f"pk_{after.prefix}_")
    assert before.expires_at is not None
    assert timedelta(hours=23) < before.expires_at - datetime.now(UTC) <= timedelta(hours=24)
    assert after.scopes == {Scope.LINKS}
    assert audited(session)[-1] == "key_issued"


def test_a_key_that_somebody_revoked_meanwhile_is_not_rotated(session: Session, boss: StaffBrowser) -> None:
    make_key(session, Scope.LINKS)
    session.commit()
    (old,) = keys()
    with transaction() as writing:
        revoke_key(writing, old.prefix, now=datetime.now(UTC))
    assert boss.post(f"{NEWS}/keys/{old.prefix}/rotate", {"hours": "24"}).status_code == 409
    assert len(keys()) == 1


def test_revoking_asks_first_and_then_refuses_the_key(
    session: Session, boss: StaffBrowser, client: StrictClient
) -> None:
    text = make_key(session, Scope.LINKS)
    session.commit()
    (key,) = keys()
    form = Page(boss.get(f"{NEWS}/keys/{key.prefix}/revoke")).forms()[-1]
    assert keys()[0].revoked_at is None
    assert boss.post(form.path).location == f"{NEWS}?done=revoked"
    answer = client.post("/api/v1/links", json={}, headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 401
    assert audited(session)[-1] == "key_revoked"


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_key_is_changed_on_the_page_of_its_own_mailer_only(session: Session, boss: StaffBrowser, what: str) -> None:
    add(boss, "other", "Annan")
    make_key(session, Scope.LINKS)
    session.commit()
    (key,) = keys()
    for path in (f"/admin/mailers/other/keys/{key.prefix}", f"{NEWS}/keys/nothing", f"{NEWS}/keys/{'x' * 300}"):
        assert boss.get(f"{path}/{what}").status_code == 404
        assert boss.post(f"{path}/{what}", {"hours": "24"}).status_code == 404
    assert [one.revoked_at for one in keys()] == [None]


def test_an_archived_mailer_is_refused_and_comes_back(session: Session, boss: StaffBrowser) -> None:
    make_key(session, Scope.LINKS)
    session.commit()
    form = Page(boss.get(f"{NEWS}/archive")).forms()[-1]
    assert boss.post(form.path).status_code == 303
    assert "Arkiverad" in Page(boss.get("/admin/mailers")).text
    answer = boss.post(f"{NEWS}/keys", {"scopes": ["links"], "days": "30"})
    assert answer.status_code == 409
    assert boss.post(f"{NEWS}/restore").status_code == 303
    with reading() as looking:
        found = mailer_by_key(looking, "newsletter")
    assert found is not None
    assert found.archived_at is None
    assert audited(session).count("mailer_changed") == 2


def test_archiving_twice_keeps_the_first_time(session: Session) -> None:
    first = datetime(2026, 5, 1, tzinfo=UTC)
    with transaction() as writing:
        create_mailer(writing, key="newsletter", name="N", now=first)
        archive_mailer(writing, "newsletter", now=first)
        archive_mailer(writing, "newsletter", now=first + timedelta(days=1))
    with reading() as looking:
        found = mailer_by_key(looking, "newsletter")
    assert found is not None
    assert found.archived_at == first


def test_a_viewer_sees_how_things_stand_and_is_offered_nothing(app: Flask, session: Session) -> None:
    make_key(session, Scope.LINKS)
    session.commit()
    viewer = signed_in(app, session, Role.VIEWER)
    page = Page(viewer.get(NEWS))
    assert f"pk_{keys()[0].prefix}" in page.text
    assert "/rotate" not in page.html
    assert "/archive" not in page.html
    assert "Lägg till en avsändare" not in Page(viewer.get("/admin/mailers")).text
    assert viewer.post("/admin/mailers", {"key": "x", "name": "X"}).status_code == 403


@pytest.mark.parametrize("key", ["nothing", "%00", "a" * 300, "%E5", "..%2f..", "1' OR '1'='1"])
def test_a_mailer_that_is_not_there_is_not_found(boss: StaffBrowser, key: str) -> None:
    for path in ("", "/keys", "/archive", "/endpoints"):
        assert boss.get(f"/admin/mailers/{key}{path}").status_code == 404
