"""The audit: complete, append-only, without personal data, and itself audited."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.capability import RecipientId
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import RightsKind
from preferences.domain.roles import Role
from preferences.models.audit import AuditReasonRow
from preferences.models.transaction import transaction
from preferences.services.rights.rights import take_request
from preferences.services.staff.audit import record_audit
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.rights import requests
from tests.support.staff import StaffBrowser, audited, signed_in

WHY = "Kunden ringde: Anna Åkesson, anna@example.se"


def fill(session: Session, stina: StaffBrowser, count: int) -> None:
    """So many reads of recipients, a minute apart, the newest now."""
    now = datetime.now(UTC)
    for number in range(count):
        target = AuditTarget(AuditObject.RECIPIENT, 9_000_000_000_000 + number)
        moment = now - timedelta(minutes=count - number)
        record_audit(session, stina.staff.id, AuditAction.RECIPIENT_SEEN, target, now=moment)
    session.commit()


def name(number: int) -> str:
    """What a recipient of `fill` is called."""
    return format_recipient_id(RecipientId(9_000_000_000_000 + number))


def shown(page: Page) -> list[str]:
    """The objects on the page, in its order."""
    return [
        " ".join(words[:2])
        for row in page.all("tr")
        if len(cells := row.findall("td")) == 4 and (words := "".join(cells[2].itertext()).split())
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET staff_id = 1",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE id = (SELECT max(id) FROM audit_entries)",
    ],
)
def test_nothing_in_the_audit_can_be_changed_or_removed(session: Session, statement: str) -> None:
    record_audit(session, None, AuditAction.RETENTION_RUN, now=datetime.now(UTC))
    session.commit()
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text(statement))
    session.rollback()
    assert audited(session) == ["retention_run"]


def test_audit_cannot_be_emptied_or_replaced_either(app: Flask, session: Session) -> None:
    record_audit(session, None, AuditAction.RETENTION_RUN, now=datetime.now(UTC))
    session.commit()
    statement = {
        "sqlite": "INSERT OR REPLACE INTO audit_entries (id, recorded_at, action, object_kind) VALUES (1, '', 'x', '')",
        "postgresql": "TRUNCATE audit_entries CASCADE",
    }[app.extensions["sqlalchemy"].engine.dialect.name]
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text(statement))
    session.rollback()


def test_reason_is_kept_apart_and_encrypted(session: Session) -> None:
    target = AuditTarget(AuditObject.RECIPIENT, 1)
    record_audit(session, None, AuditAction.ACTED_ON_BEHALF, target, reason=f"  {WHY}\n", now=datetime.now(UTC))
    session.commit()
    assert session.scalars(select(AuditReasonRow.reason)).one() == WHY
    stored = session.execute(text("SELECT reason FROM audit_reasons")).scalar_one()
    assert b"Anna" not in bytes(stored)
    rows = session.execute(text("SELECT * FROM audit_entries")).all()
    assert "Anna" not in repr(rows)


def test_signing_in_inviting_and_looking_leave_nothing_personal(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    stina.post(
        "/admin/staff/invite", {"name": "Eva Ek", "address": "eva@example.se", "role": "viewer", "language": "sv"}
    )
    stina.get("/admin/audit")
    session.commit()
    rows = repr(session.execute(text("SELECT * FROM audit_entries")).all())
    for secret in ("Stina", "Eva", "example.se", "@"):
        assert secret not in rows


def test_looking_at_the_audit_is_in_the_audit(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    page = Page(officer.get("/admin/audit"))
    assert "Såg granskningsloggen" in page.text
    assert audited(session)[-1] == "audit_seen"


def test_pages_go_on_by_key_and_show_everything_once(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    fill(session, stina, 70)
    address, seen = "/admin/audit?object=recipient", []
    while address:
        page = Page(stina.get(address))
        seen += shown(page)
        fill(session, stina, 1)
        further = [one.get("href", "") for one in page.all("a", rel="next")]
        address = further[0] if further else ""
        assert not address or "object=recipient" in address
    assert seen[-70:] == [f"Mottagare {name(number)}" for number in reversed(range(70))]


def test_filters_stand_in_the_address_and_narrow(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    fill(session, stina, 3)
    for address, count in {
        "/admin/audit?action=recipient_seen": 3,
        f"/admin/audit?action=recipient_seen&staff={stina.staff.id}": 3,
        "/admin/audit?action=recipient_seen&staff=999": 0,
        f"/admin/audit?object=recipient&id={name(1)}": 1,
        f"/admin/audit?id={name(1)}": 1,
        "/admin/audit?object=recipient&id=nobody": 0,
        "/admin/audit?action=recipient_seen&since=2001-01-01&until=2001-01-02": 0,
        "/admin/audit?action=recipient_seen&since=2001-01-01": 3,
    }.items():
        assert len(shown(Page(stina.get(address)))) == count, address
    assert "Inget passar" in Page(stina.get("/admin/audit?action=data_exported")).text


@pytest.mark.parametrize(
    "query",
    [
        "staff=x",
        "staff=99999999999999999999999",
        "action=nothing",
        "object=%00",
        "since=2026-13-45",
        "since=9999-12-31&until=9999-12-31",
        "before=-1",
        "before=1e9",
        "id=' OR 1=1",
        "staff=1&staff=2",
        "action=" + "x" * 5000,
    ],
)
def test_malformed_filters_show_everything_or_nothing_but_never_fail(app: Flask, session: Session, query: str) -> None:
    assert signed_in(app, session).get(f"/admin/audit?{query}").status_code == 200


def test_a_persons_trail_holds_their_requests_and_is_linked_from_their_page(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    session.commit()
    with transaction() as writing:
        for person in (anna, bo):
            take_request(
                writing, person.id, RightsKind.ACCESS, details={"text": "x"}, locale="sv", now=datetime.now(UTC)
            )
    for row in requests(session):
        officer.get(f"/admin/requests/{row.reference}")
    public = format_recipient_id(anna.id)
    page = Page(officer.get(f"/admin/recipients/{public}"))
    trail = next(one.get("href", "") for one in page.all("a") if "/admin/audit?" in one.get("href", ""))
    found = shown(Page(officer.get(trail)))
    assert sorted(one.split()[0] for one in found) == ["Begäran", "Mottagare"]
    by_reference = f"/admin/audit?id={requests(session)[0].reference}"
    assert len(shown(Page(officer.get(by_reference)))) == 1
    viewer = signed_in(app, session, Role.VIEWER, "v@example.com")
    assert "/admin/audit?" not in viewer.get(f"/admin/recipients/{public}").text


def test_the_export_holds_what_the_filters_show_and_is_itself_in_the_audit(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    fill(session, officer, 3)
    target = AuditTarget(AuditObject.RECIPIENT, 7)
    record_audit(
        session, None, AuditAction.ACTED_ON_BEHALF, target, reason='=HYPERLINK("http://x")', now=datetime.now(UTC)
    )
    session.commit()
    for address in ("/admin/audit/export?action=recipient_seen", "/admin/audit/export"):
        assert officer.get(address).status_code == 200
        assert officer.post(address).status_code == 422
    narrow = officer.post("/admin/audit/export?action=recipient_seen", {"reason": "Tillsynen frågar"})
    assert narrow.mimetype == "text/csv"
    rows = list(csv.reader(narrow.text.lstrip("\ufeff").splitlines()))
    assert [one[6] for one in rows[1:]] == [name(number) for number in (2, 1, 0)]
    whole = officer.post("/admin/audit/export", {"reason": "Allt"}).text
    assert "\"'=HYPERLINK(" in whole
    assert '""action"": ""recipient_seen""' in whole
    assert audited(session).count("data_exported") == 2
    marketer = signed_in(app, session, Role.MARKETER, "m@example.com")
    tired = signed_in(app, session, Role.PRIVACY_OFFICER, "t@example.com", at=datetime.now(UTC) - timedelta(minutes=40))
    assert marketer.post("/admin/audit/export", {"reason": "x"}).status_code == 403
    assert "/admin/confirm" in tired.post("/admin/audit/export", {"reason": "x"}).location
