"""Endpoints of mailers in the admin pages: set up, look at what was tried, send again (M13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from preferences.domain.events import EventType
from preferences.domain.roles import Role
from preferences.domain.webhooks import AttemptCode
from preferences.models.audit import AuditRow
from preferences.models.endpoint import AttemptRow, DeliveryRow
from preferences.models.transaction import reading
from preferences.queries.mailers.endpoints import EndpointView, endpoints_of
from preferences.services.rights.restriction import restrict
from preferences.web.admin.words.endpoints import host_of, masked_answer
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.webhooks import make_endpoint

NEWS = "/admin/mailers/newsletter"
HOOK = "https://mailer.example/hooks/very-secret-part"


@pytest.fixture
def boss(app: Flask, session: Session) -> StaffBrowser:
    """An administrator; there is a mailer with an endpoint."""
    make_endpoint(session, HOOK, description="Stora listan")
    return signed_in(app, session)


def endpoints() -> list[EndpointView]:
    with reading() as session:
        return endpoints_of(session)


def here() -> str:
    return f"{NEWS}/endpoints/{endpoints()[0].id}"


def tried(session: Session, event: int | None = 7, **more: object) -> None:
    one = endpoints()[0]
    values = {"code": AttemptCode.FAILED, "status": 500, "latency_ms": 120, "excerpt": None, **more}
    session.add(
        AttemptRow(
            endpoint_id=one.id, delivery_id=1, event_id=event, number=1, attempted_at=datetime.now(UTC), **values
        )
    )
    session.commit()


def waiting(session: Session) -> list[int | None]:
    session.commit()
    found = list(session.scalars(select(DeliveryRow.event_id).order_by(DeliveryRow.id)))
    session.commit()
    return found


def test_an_endpoint_is_added_and_its_secret_shown_once(session: Session, boss: StaffBrowser) -> None:
    form = {
        "url": "https://shop.example/in?token=abc",
        "description": "Åsas butik",
        "types": ["choice.changed", "recipient.stopped"],
        "payload": "addresses",
        "scheme": "v1",
    }
    answer = boss.post(f"{NEWS}/endpoints", form)
    assert answer.status_code == 200
    secret = Page(answer).find("code", **{"class": "secret"}).text or ""
    assert secret.startswith("whsec_")
    made = endpoints()[-1]
    assert made.types == (EventType.CHOICE_CHANGED, EventType.RECIPIENT_STOPPED)
    assert (made.url, made.payload, made.description) == (form["url"], "addresses", "Åsas butik")
    for path in (NEWS, f"{NEWS}/endpoints/{made.id}", f"{NEWS}/endpoints/{made.id}/change"):
        page = boss.get(path).text
        assert "shop.example" in page
        assert secret not in page
        assert "token=abc" not in page
    session.commit()
    recorded = str(session.scalars(select(AuditRow.data)).all())
    assert audited(session)[-1] == "endpoint_changed"
    assert "abc" not in recorded
    assert "whsec" not in recorded


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "http://mailer.example/",
            "https://10.0.0.1/",
            "https://localhost/",
            "https://a@b.example/",
            "javascript:x()",
        ),
        *(
            "https://mailer.example/" + "x" * 1000,
            "https://målare.example/",
            "https://mailer.example/ x",
            "https://[::1]/",
        ),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_and_kept(boss: StaffBrowser, url: str) -> None:
    answer = boss.post(f"{NEWS}/endpoints", {"url": url, "types": ["choice.changed"], "description": "Mitt"})
    assert answer.status_code == 422
    page = Page(answer)
    assert "#field-url" in page.html
    assert page.find("input", id="field-url").get("value") == url[:1001]
    assert page.find("input", id="field-description").get("value") == "Mitt"
    assert len(endpoints()) == 1


def test_kinds_of_changes_must_be_chosen_among_those_there_are(boss: StaffBrowser) -> None:
    for types in ([], ["everything"], ["choice.changed'"]):
        answer = boss.post(f"{NEWS}/endpoints", {"url": HOOK, "types": types})
        assert answer.status_code == 422
        assert "Välj minst ett slags ändring." in answer.text
    assert len(endpoints()) == 1


def test_changing_keeps_an_address_that_is_left_empty(boss: StaffBrowser) -> None:
    form = Page(boss.get(f"{here()}/change")).forms()[-1]
    assert form.fields["url"] == ""
    words = {"url": "", "types": ["policy.published"], "description": "Ny"}
    answer = boss.post(form.path, {**words, "seen": form.fields["seen"]})
    assert answer.status_code == 303
    (one,) = endpoints()
    assert (one.url, one.types, one.description) == (HOOK, (EventType.POLICY_PUBLISHED,), "Ny")


def test_an_endpoint_is_switched_off_and_on_and_twice_is_once(session: Session, boss: StaffBrowser) -> None:
    for _ in range(2):
        assert boss.post(f"{here()}/state", {"state": "disabled"}).status_code == 303
    assert endpoints()[0].disabled_reason == "operator"
    page = Page(boss.get(here()))
    assert "avstängd av oss" in page.text
    assert boss.post(f"{here()}/test").status_code == 409
    assert boss.post(f"{here()}/replay", {"event": "1"}).status_code == 409
    assert boss.post(f"{here()}/state", {"state": "enabled"}).status_code == 303
    assert endpoints()[0].state == "enabled"
    assert waiting(session) == []


def test_a_test_message_is_queued(session: Session, boss: StaffBrowser) -> None:
    answer = boss.post(f"{here()}/test")
    assert waiting(session) == [None]
    assert "Ett testmeddelande är på väg." in Page(boss.get(answer.location)).text


def test_another_secret_is_asked_for_first_and_shown_once(session: Session, boss: StaffBrowser) -> None:
    form = Page(boss.get(f"{here()}/secret")).forms()[-1]
    page = Page(boss.post(form.path))
    secret = page.find("code", **{"class": "secret"}).text or ""
    assert secret.startswith("whsec_")
    assert "Den gamla gäller till" in page.text
    assert secret not in boss.get(here()).text
    assert audited(session)[-1] == "endpoint_changed"


def test_an_endpoint_is_removed_after_a_review(session: Session, boss: StaffBrowser) -> None:
    form = Page(boss.get(f"{here()}/remove")).forms()[-1]
    assert len(endpoints()) == 1
    assert boss.post(form.path).location == f"{NEWS}?done=removed"
    assert endpoints() == []


def test_what_was_tried_is_shown_with_addresses_masked(app: Flask, session: Session, boss: StaffBrowser) -> None:
    tried(session, excerpt='{"error":"unknown anna.ek@example.se"} <script>')
    for somebody in (boss, signed_in(app, session, Role.VIEWER, "vera@example.se")):
        page = Page(somebody.get(here()))
        assert "500" in page.text
        assert "120 ms" in page.text
        assert "a•••@e•••.se" in page.text
        assert "anna.ek" not in page.html
        assert "very-secret-part" not in page.html
        assert "<script>" not in page.html


def test_a_viewer_is_offered_nothing(app: Flask, session: Session, boss: StaffBrowser) -> None:
    tried(session)
    viewer = signed_in(app, session, Role.VIEWER, "vera@example.se")
    page = Page(viewer.get(here()))
    assert "Skicka igen" not in page.text
    for path in ("replay", "test", "state", "secret", "remove", "change"):
        assert viewer.post(f"{here()}/{path}").status_code == 403


def test_one_change_and_a_range_are_sent_again(session: Session, boss: StaffBrowser) -> None:
    for address in ("anna@example.se", "bo@example.se"):
        restrict(session, make_recipient(session, address).id, locale="sv", now=datetime.now(UTC))
    session.commit()
    first, second = waiting(session)
    session.execute(delete(DeliveryRow))
    session.commit()
    assert boss.post(f"{here()}/replay", {"event": f"evt_{second}"}).location == f"{here()}?sent=1"
    assert waiting(session) == [second]
    since = (datetime.now(UTC) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    answer = boss.post(f"{here()}/replay", {"what": "range", "since": since})
    assert "2 ändringar är på väg igen." in Page(boss.get(answer.location)).text
    assert set(waiting(session)) == {first, second}
    assert audited(session)[-2:] == ["events_replayed"] * 2


@pytest.mark.parametrize("event", ["", "0", "-1", "x", "1.5", "٣", "9" * 19, "9" * 5000, "1 OR 1=1", "999999"])
def test_a_change_that_is_not_there_is_not_sent_again(session: Session, boss: StaffBrowser, event: str) -> None:
    answer = boss.post(f"{here()}/replay", {"event": event})
    assert answer.status_code == 422
    assert "#field-event" in answer.text
    assert waiting(session) == []


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("", "", "since"),
        ("tomorrow", "", "since"),
        ("9999-12-31T23:59", "", "since"),
        ("0001-01-01T00:00", "", "since"),
        ("2026-01-02T00:00", "2026-01-01T00:00", "until"),
        ("2026-01-02T00:00", "never", "until"),
        ("2026-01-02T00:00+99:99", "x" * 9000, "until"),
    ],
)
def test_a_range_without_sense_is_named_and_kept(boss: StaffBrowser, since: str, until: str, field: str) -> None:
    answer = boss.post(f"{here()}/replay", {"what": "range", "since": since, "until": until})
    assert answer.status_code == 422
    assert f"#field-{field}" in answer.text


def test_an_endpoint_belongs_to_its_own_mailer_only(session: Session, boss: StaffBrowser) -> None:
    other, _ = make_endpoint(session, "https://other.example/", mailer="other")
    for path in ("", "/change", "/secret", "/remove"):
        assert boss.get(f"{NEWS}/endpoints/{other.id}{path}").status_code == 404
    for path in ("/change", "/secret", "/remove", "/state", "/test", "/replay"):
        assert boss.post(f"{NEWS}/endpoints/{other.id}{path}", {"event": "1"}).status_code == 404
    assert len(endpoints()) == 2


def test_only_the_host_is_named_and_no_address_survives() -> None:
    assert host_of("https://a.example:8443/x?y=z") == "a.example:8443"
    assert masked_answer("to <bo@b.example>, åsa.öberg@exämple.se") == "to <b•••@•••.example>, å•••@e•••.se"
    assert "@" not in masked_answer("x" * 1000)
    assert masked_answer(None) == ""
    assert "\x1b" not in masked_answer("\x1b[31mred\x00")
