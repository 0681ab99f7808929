"""Imports in the admin pages: upload, columns with a preview, dry run, apply, report. Nobody is revived on the way."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.acts import Act, Actor
from preferences.domain.roles import Role
from preferences.integrations.csv_mapping import FIELDS as FILE_FIELDS
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import reading
from preferences.queries.imports import ImportView, import_by_id
from preferences.services.intake_explain import _WHAT as WHAT_HOLDS
from preferences.web.admin.import_words import FIELDS, REASONS
from preferences.worker.import_lane import ImportLane
from tests.factories import act, make_recipient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in

HEAD = "E-post;Namn;purpose;act;occurred_at;source"
FILE = f"{HEAD}\nåsa@example.se;Åsa Öberg;marketing;given;2024-05-01;web\nanna@example.se;Anna;marketing;given;2024-05-01;web\n"


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def upload(who: StaffBrowser, data: bytes | str = FILE, name: str = "kunder åäö.csv") -> TestResponse:
    raw = data.encode() if isinstance(data, str) else data
    return who.post("/admin/imports", {"file": (io.BytesIO(raw), name)})


def uploaded(who: StaffBrowser, data: bytes | str = FILE) -> str:
    """Upload, and the address of the import."""
    answer = upload(who, data)
    assert answer.status_code == 303, answer.text
    return answer.location.removesuffix("/columns")


def guessed(who: StaffBrowser, place: str) -> dict[str, str]:
    """The form for the columns as it came."""
    page = Page(who.get(f"{place}/columns"))
    form = {}
    for one in page.all("select"):
        chosen = [option.get("value", "") for option in one.iter("option") if "selected" in option.attrib]
        form[one.get("name", "")] = chosen[0] if chosen else ""
    return form


def lines(page: Page) -> list[int]:
    """The numbers of the lines shown."""
    return [int(one.text or "") for one in page.all("th", scope="row") if one.get("class") == "number"]


def planned(who: StaffBrowser, data: bytes | str = FILE, **changes: str) -> str:
    """Upload, take the columns and have the dry run done."""
    place = uploaded(who, data)
    answer = who.post(f"{place}/columns", {**guessed(who, place), **changes})
    assert answer.status_code == 303, answer.text
    assert run() == 1
    return place


def run() -> int:
    return ImportLane(threading.Event(), lambda: datetime.now(UTC)).run_batch()


def view_of(place: str) -> ImportView:
    with reading() as session:
        return import_by_id(session, int(place.rsplit("/", 1)[1]))


def apply(who: StaffBrowser, place: str) -> TestResponse:
    found = view_of(place).planned_at
    assert found is not None
    return who.post(f"{place}/apply", {"planned_at": found.isoformat()})


def test_the_first_page_says_what_to_do_first(stina: StaffBrowser) -> None:
    page = Page(stina.get("/admin/imports"))
    assert "Inget har importerats än." in page.text
    assert page.all("input", type="file")


def test_from_upload_to_applied_with_nobody_revived(stina: StaffBrowser, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    session.commit()
    place = uploaded(stina)
    columns = Page(stina.get(f"{place}/columns"))
    assert "Åsa Öberg" in columns.text
    assert guessed(stina, place)["column-0"] == "email"
    assert guessed(stina, place)["column-1"] == "name"
    assert run() == 0, "no worker takes it before somebody has said what the columns are"
    assert stina.post(f"{place}/columns", guessed(stina, place)).location.endswith("?done=mapped")
    waiting = stina.get(place)
    assert waiting.headers["Refresh"] == "3"
    assert "<progress" in waiting.text
    assert "Refresh" not in stina.get(f"{place}?still=1").headers, "who wants it still gets it still"
    assert run() == 1
    page = stina.get(place)
    assert "Refresh" not in page.headers
    assert "1 rad skulle återuppliva någon som har tackat nej: stoppad." in Page(page).text
    held = Page(stina.get(f"{place}?outcome=held"))
    assert lines(held) == [3]
    assert "anna@example.se" not in held.html
    asked = Page(stina.get(f"{place}/apply"))
    assert "1 person läggs till." in asked.text
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 1
    session.commit()
    assert apply(stina, place).location.endswith("?done=started")
    assert (run(), run()) == (1, 0)
    assert view_of(place).stage is ImportStage.APPLIED
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 2
    assert {"import_uploaded", "import_seen", "import_applied"} <= set(audited(session))


def test_two_people_apply_the_same_import_and_the_second_is_told(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    place = planned(stina)
    other = signed_in(app, session, Role.ADMINISTRATOR, "bo@example.se")
    assert apply(other, place).status_code == 303
    second = apply(stina, place)
    assert second.status_code == 409
    assert "Någon annan hann före" in second.text
    assert audited(session).count("import_applied") == 1


def test_a_dry_run_that_is_not_the_one_looked_at_is_not_applied(stina: StaffBrowser) -> None:
    place = planned(stina)
    seen = view_of(place).planned_at
    assert seen is not None
    assert stina.post(f"{place}/columns", {"column-0": "email"}).status_code == 303, "columns can be changed again"
    assert run() == 1
    for said in (
        seen.isoformat(),
        "",
        "igår",
        "9999-99-99",
        (seen + timedelta(days=1)).replace(tzinfo=None).isoformat(),
    ):
        assert stina.post(f"{place}/apply", {"planned_at": said}).status_code == 409
    assert view_of(place).stage is ImportStage.PLANNED


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
    answer = stina.post(f"{place}/columns", {**form, "default-source": "mässan <i>maj</i>"})
    assert answer.status_code == 422
    page = Page(answer)
    assert says in page.text
    assert page.find("input", id="field-default-source").get("value") == "mässan <i>maj</i>"
    assert view_of(place).waits_for_columns


def test_two_columns_of_one_name_are_told_apart(stina: StaffBrowser) -> None:
    place = planned(stina, "mail,mail,namn\nx,anna@example.se,Anna\n", **{"column-0": "", "column-1": "email"})
    assert view_of(place).counts["new"] == 1


def test_what_holds_for_every_row_is_said_once_and_words_are_given_meanings(stina: StaffBrowser) -> None:
    place = planned(
        stina,
        "mail;nyhetsbrev\nanna@example.se;Ja\nbo@example.se;nej\ncia@example.se;kanske\n",
        **{
            "column-1": "act",
            "default-purpose": "marketing",
            "default-source": "kassan",
            "default-occurred_at": "2024-05-01",
            "say-yes": "ja, 1",
            "say-no": "nej",
        },
    )
    assert (view_of(place).counts["new"], view_of(place).counts["invalid"]) == (2, 1)
    page = Page(stina.get(place))
    assert "kassan" in page.text
    assert 'value="1, ja"' in stina.get(f"{place}/columns").text


def test_the_report_is_paged_and_filtered_by_outcome(stina: StaffBrowser) -> None:
    rows = "".join(f"person{number}@example.se\n" if number % 20 else "inget\n" for number in range(130))
    place = planned(stina, f"email\n{rows}")
    seen, address = [], place
    while address:
        page = Page(stina.get(address))
        seen += lines(page)
        older = page.all("a", rel="next")
        address = older[0].get("href", "") if older else ""
    assert seen == list(range(2, 132))
    invalid = Page(stina.get(f"{place}?outcome=invalid"))
    assert lines(invalid) == [*range(2, 132, 20)]
    for query in ("?before=99999999999999999", "?before=-1", "?before=x", "?outcome=none", "?outcome=%00"):
        assert stina.get(f"{place}{query}").status_code == 200


def test_the_report_is_downloaded_freshly_neutralised_and_on_record(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    place = planned(stina, "email,external_id\nanna@example.se,1\nbo@example.se,1\n")
    answer = stina.get(f"{place}/report.csv")
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbfline,outcome,reason,detail\r\n2,new,,\r\n3,invalid,external_id_taken,")
    assert b"example.se" not in answer.data
    assert audited(session)[-1] == "data_exported"
    stale = signed_in(app, session, Role.MARKETER, "eva@example.se", at=datetime.now(UTC) - timedelta(minutes=30))
    assert "/admin/confirm" in stale.get(f"{place}/report.csv").location


def test_an_import_is_discarded_with_its_file_after_a_look(stina: StaffBrowser, session: Session) -> None:
    place = planned(stina)
    assert "Filen tas bort" in Page(stina.get(f"{place}/discard")).text
    assert stina.post(f"{place}/discard").status_code == 303
    assert stina.post(f"{place}/discard").status_code == 409
    assert stina.get(f"{place}/discard").status_code == 409
    assert stina.get(f"{place}/apply").status_code == 409
    assert stina.get(f"{place}/columns").status_code == 409
    left = session.scalar(select(func.count()).select_from(ImportPartRow).where(ImportPartRow.kind == PartKind.FILE))
    assert left == 0
    assert audited(session)[-1] == "import_discarded"


@pytest.mark.parametrize("number", ["0", "999", "99999999999999999999", "x", "-1", "1%00"])
def test_imports_that_do_not_exist_are_not_found(stina: StaffBrowser, number: str) -> None:
    for below in ("", "/columns", "/apply", "/discard", "/report.csv"):
        assert stina.get(f"/admin/imports/{number}{below}").status_code == 404
    for below in ("/columns", "/apply", "/discard"):
        assert stina.post(f"/admin/imports/{number}{below}").status_code == 404


def test_an_import_of_the_command_line_is_shown_and_left_to_it(stina: StaffBrowser, session: Session) -> None:
    place = planned(stina)
    session.execute(update(ImportBatchRow).values(actor=Actor.SYSTEM, actor_id=None))
    session.commit()
    page = Page(stina.get(place))
    assert "flask --app app import apply" in page.text
    assert apply(stina, place).status_code == 409
    assert stina.post(f"{place}/columns", {"column-0": "email"}).status_code == 409


def test_a_form_without_its_token_does_nothing(stina: StaffBrowser) -> None:
    place = planned(stina)
    bad: dict[str, Any] = {"file": (io.BytesIO(FILE.encode()), "x.csv")}
    assert stina.client.post("/admin/imports", data=bad).status_code == 400
    for below in ("/columns", "/apply", "/discard"):
        assert stina.client.post(f"{place}{below}").status_code == 400
    assert view_of(place).stage is ImportStage.PLANNED


def test_a_dry_run_says_how_far_it_has_come(stina: StaffBrowser, session: Session) -> None:
    place = uploaded(stina)
    session.execute(update(ImportBatchRow).values(stage=ImportStage.RECEIVED, planned={"percent_read": 37}))
    session.commit()
    page = Page(stina.get(place))
    assert page.find("progress").get("value") == "37"


def test_every_field_and_every_reason_to_hold_a_row_has_words() -> None:
    assert set(FIELDS) == FILE_FIELDS
    assert {one.value for one in WHAT_HOLDS} <= set(REASONS)
