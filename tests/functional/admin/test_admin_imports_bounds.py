"""Imports in the admin pages: files that are none, columns that cannot be, numbers that are not there, forms from elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.integrations.csv_mapping import FIELDS as FILE_FIELDS
from preferences.models.import_batch import ImportBatchRow, ImportStage
from preferences.models.transaction import reading
from preferences.services.imports.imports import dry_run
from preferences.services.intake.explain import _WHAT as WHAT_HOLDS
from preferences.web.admin.transfers.imports import tools
from preferences.web.admin.words.imports import FIELDS, REASONS
from tests.support.admin_imports import FILE, guessed, planned, upload, uploaded, view_of
from tests.support.page import Page
from tests.support.staff import StaffBrowser, signed_in


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Filen är tom."),
        (b"\xff\xfe\xff\xfe\x00\x00", "Filen är tom."),
        (b"PK\x03\x04" + b"email\n" * 50, "Det här är ingen CSV-fil."),
        (bytes(range(32)) * 40, "Det här är ingen CSV-fil."),
        ("email\n".encode("utf-32"), "UTF-32"),
        (b"anna@example.se;Anna\n", "Första raden innehåller en adress"),
        (b";".join([b"x"] * 501) + b"\n", "mer än 500 kolumner"),
        (b'"' + b"x" * 200_000, "Den första raden går inte att läsa"),
    ],
)
def test_what_is_no_csv_file_is_refused_by_what_it_is(stina: StaffBrowser, data: bytes, says: str) -> None:
    answer = upload(stina, data, "kunder.csv")
    assert answer.status_code == 422
    assert says in Page(answer).text
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportBatchRow)) == 0


def test_no_file_at_all_is_asked_for(stina: StaffBrowser) -> None:
    assert stina.post("/admin/imports").status_code == 422
    assert stina.post("/admin/imports", {"file": "email\nanna@example.se"}).status_code == 422


def test_a_file_that_is_too_large_is_refused_before_it_is_read(stina: StaffBrowser) -> None:
    answer = stina.client.post(
        "/admin/imports", headers={"Content-Length": str(2**31)}, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code in {400, 413}


def test_utf_16_with_tabs_is_read_and_hostile_names_are_only_text(stina: StaffBrowser) -> None:
    text = "Epost\t<script>alert(1)</script>\nanna@example.se\t=cmd|' /C calc'!A0\n"
    answer = upload(stina, text.encode("utf-16"), "../../<b>kunder</b>.csv")
    place = answer.location.removesuffix("/columns")
    page = stina.get(f"{place}/columns").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert guessed(stina, place)["column-0"] == "email"
    assert view_of(place).filename == "b>.csv"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Ange vilken kolumn som innehåller e-postadressen."),
        ({"column-0": "email", "column-1": "email"}, "Kolumn 1 är redan"),
        ({"column-0": "email", "column-2": "purpose", "default-purpose": "marketing"}, "En kolumn säger redan detta"),
        ({"column-0": "email", "default-act": "objection_lifted"}, "Välj något i listan."),
        ({"column-0": "email", "default-purpose": "'; drop table"}, "Välj något i listan."),
        ({"column-0": "email", "date_format": "%c"}, "Välj något i listan."),
        ({"column-0": "email", "column-1": "password"}, "Kolumnerna passar inte filen"),
    ],
)
def test_columns_that_cannot_be_are_named_and_what_was_chosen_stays(
    stina: StaffBrowser, form: dict[str, str], says: str
) -> None:
    place = uploaded(stina)
    seen = guessed(stina, place)["seen"]
    answer = stina.post(f"{place}/columns", {**form, "default-source": "mässan <i>maj</i>", "seen": seen})
    assert answer.status_code == 422
    page = Page(answer)
    assert says in page.text
    assert page.find("input", id="field-default-source").get("value") == "mässan <i>maj</i>"
    assert view_of(place).waits_for_columns


def test_two_columns_of_one_name_are_told_apart(stina: StaffBrowser) -> None:
    place = planned(stina, "mail,mail,namn\nx,anna@example.se,Anna\n", **{"column-0": "", "column-1": "email"})
    assert view_of(place).counts["new"] == 1


@pytest.mark.parametrize("number", ["0", "999", "99999999999999999999", "x", "-1", "1%00"])
def test_imports_that_do_not_exist_are_not_found(stina: StaffBrowser, number: str) -> None:
    for below in ("", "/columns", "/apply", "/discard", "/report.csv"):
        assert stina.get(f"/admin/imports/{number}{below}").status_code == 404
    for below in ("/columns", "/apply", "/discard"):
        assert stina.post(f"/admin/imports/{number}{below}").status_code == 404


def test_a_form_without_its_token_does_nothing(stina: StaffBrowser) -> None:
    place = planned(stina)
    bad: dict[str, Any] = {"file": (io.BytesIO(FILE.encode()), "x.csv")}
    assert stina.client.post("/admin/imports", data=bad).status_code == 400
    for below in ("/columns", "/apply", "/discard"):
        assert stina.client.post(f"{place}{below}").status_code == 400
    assert view_of(place).stage is ImportStage.PLANNED


def test_every_field_and_every_reason_to_hold_a_row_has_words() -> None:
    assert set(FIELDS) == FILE_FIELDS
    assert {one.value for one in WHAT_HOLDS} <= set(REASONS)


def test_a_long_dry_run_stores_how_far_it_has_come_while_it_goes_on(stina: StaffBrowser, session: Session) -> None:
    rows = "".join(f"person{number}@example.se{' ' * 140}\n" for number in range(2500))
    place = uploaded(stina, f"email\n{rows}")
    stina.post(f"{place}/columns", guessed(stina, place))
    ticks = count()
    clock = replace(tools(), now=lambda: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)))
    seen: list[int] = []
    dry_run(clock, view_of(place).id, progress=lambda _rows: seen.append(view_of(place).percent_done))
    assert seen[0] == 0
    assert 0 < seen[1] < seen[2] <= 100
    assert view_of(place).counts["new"] == 2500
