"""Exports in the admin pages: as CSV, freshly, with a reason, on record; formulas are text, and nobody is mailed by mistake."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.acts import Act
from preferences.domain.retention import Kind
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.recipient import RecipientRow
from preferences.queries.imports import exports as queries
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.trainings import make_training

WHY = {"reason": "Revision den 3 mars"}
WHATS = ("choices", "suppressions", "photos", "register")


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def rows_of(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"\xef\xbb\xbf"), "Excel needs the mark"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_choices_say_what_may_be_done_now_and_not_only_what_was_said(
    session: Session, officer: StaffBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ROWS_AT_ONCE", 2)
    people = [make_recipient(session, f"person{number}@example.se") for number in range(5)]
    for one in people:
        act(session, one, "marketing", Act.GIVEN)
    act(session, people[1], "marketing", Act.WITHDRAWN)
    suppress_address(session, people[2])
    session.commit()
    rows = rows_of(officer.post("/admin/exports/choices", {**WHY, "purpose": "marketing"}))
    assert len(rows) == len(people)
    found = {one["email"]: (one["act"], one["allowed"], one["reason"]) for one in rows}
    assert found == {
        "person0@example.se": ("given", "yes", "allowed"),
        "person1@example.se": ("withdrawn", "no", "withdrawn"),
        "person2@example.se": ("given", "no", "suppressed_complaint"),
        "person3@example.se": ("given", "yes", "allowed"),
        "person4@example.se": ("given", "yes", "allowed"),
    }
    assert rows_of(officer.post("/admin/exports/choices", {**WHY, "purpose": "everything"})) == []


def suppress_address(session: Session, recipient: RecipientView) -> None:
    index = session.scalar(select(RecipientRow.address_index).where(RecipientRow.id == recipient.id))
    assert index is not None
    suppress(session, address_index=index, reason=SuppressionReason.COMPLAINT, source="test", now=datetime.now(UTC))


def test_cells_that_a_spreadsheet_would_run_are_text(session: Session, officer: StaffBrowser) -> None:
    person = make_recipient(session)
    row = session.get_one(RecipientRow, person.id)
    row.name, row.external_id = "=cmd|' /C calc'!A0", "@SUM(1)"
    act(session, person, "marketing", Act.GIVEN)
    session.commit()
    found = rows_of(officer.post("/admin/exports/choices", {**WHY, "purpose": "marketing"}))[0]
    assert (found["name"], found["external_id"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1)")


def test_suppressions_keep_no_address_of_the_erased(session: Session, officer: StaffBrowser) -> None:
    anna, bo = make_recipient(session, "anna@example.se"), make_recipient(session, "bo@example.se")
    suppress_address(session, anna)
    suppress_address(session, bo)
    erase_recipient(session, bo.id, source="test", now=datetime.now(UTC))
    session.commit()
    found = rows_of(officer.post("/admin/exports/suppressions", WHY))
    assert {(one["email"], one["reason"]) for one in found} == {
        ("anna@example.se", "complaint"),
        ("", "complaint"),
        ("", "erased"),
    }


def test_a_photo_list_has_name_and_image_apart(session: Session, officer: StaffBrowser) -> None:
    anna = make_recipient(session, "anna@example.se")
    number = make_training(session, anna)
    act(session, anna, "photo_image", Act.OBJECTED)
    session.commit()
    found = rows_of(officer.post("/admin/exports/photos", {**WHY, "training": str(number)}))
    assert [(one["email"], one["image_allowed"], one["image_reason"]) for one in found] == [
        ("anna@example.se", "no", "objected")
    ]
    assert found[0]["marketing_allowed"] == "no", "advertising needs consent"


def test_the_register_has_every_purpose_and_every_kind_of_data(officer: StaffBrowser) -> None:
    found = rows_of(officer.post("/admin/exports/register", WHY))
    keys = {one["Nyckel"] for one in found}
    assert {"marketing", *(kind.value for kind in Kind)} <= keys
    for one in found:
        assert one["Personuppgiftsansvarig"]
        assert one["Rättslig grund"]
        assert one["Hur länge"]


def test_each_is_on_record_with_its_reason_and_without_a_name(session: Session, officer: StaffBrowser) -> None:
    for what in ("suppressions", "register"):
        assert officer.post(f"/admin/exports/{what}", WHY).status_code == 200
    assert audited(session)[-2:] == ["data_exported", "data_exported"]
    assert set(session.scalars(select(AuditReasonRow.reason))) == {WHY["reason"]}
    assert session.scalars(select(AuditRow.data).order_by(AuditRow.id.desc())).first() == {"what": "register"}


@pytest.mark.parametrize("what", WHATS)
def test_without_a_reason_nothing_leaves(session: Session, officer: StaffBrowser, what: str) -> None:
    number = make_training(session, make_recipient(session))
    for reason in ("", "   ", "\x00\x07"):
        form = {"purpose": "marketing", "training": str(number), "reason": reason}
        answer = officer.post(f"/admin/exports/{what}", form)
        assert answer.status_code == 422
        assert Page(answer).find("input", id=f"field-{what}-reason").get("aria-invalid") == "true"
    assert "data_exported" not in audited(session)


@pytest.mark.parametrize(
    ("what", "form"),
    [
        ("choices", {}),
        ("choices", {"purpose": "'; drop table purposes"}),
        ("choices", {"purpose": "x" * 5000}),
        ("photos", {"training": "1"}),
        ("photos", {"training": "-1"}),
        ("photos", {"training": "99999999999999999999999"}),
        ("photos", {"training": "²"}),
    ],
)
def test_what_does_not_exist_is_not_exported_and_the_reason_stays(
    officer: StaffBrowser, session: Session, what: str, form: dict[str, str]
) -> None:
    answer = officer.post(f"/admin/exports/{what}", {**form, "reason": 'Därför "att" <b>'})
    assert answer.status_code == 422
    assert "Välj ändamålet." in answer.text or what == "photos"
    assert "&lt;b&gt;" in answer.text or what == "photos", "there is no form without a training"
    assert "data_exported" not in audited(session)


def test_the_password_is_asked_for_again_before_anything_leaves(app: Flask, session: Session) -> None:
    stale = signed_in(app, session, Role.PRIVACY_OFFICER, at=datetime.now(UTC) - timedelta(minutes=30))
    assert stale.get("/admin/exports").location == "/admin/confirm?next=/admin/exports"
    for what in WHATS:
        answer = stale.post(f"/admin/exports/{what}", {**WHY, "purpose": "marketing", "back": "/admin/exports"})
        assert answer.location == "/admin/confirm?next=/admin/exports"
    assert "data_exported" not in audited(session)


def test_a_form_without_its_token_takes_nothing(session: Session, officer: StaffBrowser) -> None:
    for what in WHATS:
        assert officer.client.post(f"/admin/exports/{what}", data=WHY).status_code == 400
    assert "data_exported" not in audited(session)
