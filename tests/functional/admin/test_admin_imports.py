"""Imports in the admin pages: upload, columns with a preview, dry run, apply, report. Nobody is revived on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor
from preferences.domain.roles import Role
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind
from preferences.models.recipient import RecipientRow
from tests.factories import act, make_recipient
from tests.support.admin_imports import apply, guessed, lines, planned, run, uploaded, view_of
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


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
    assert (
        stina.post(f"{place}/columns", {"column-0": "email", "seen": guessed(stina, place)["seen"]}).status_code == 303
    ), "columns can be changed again"
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
    assert answer.data.startswith(
        b"\xef\xbb\xbfline,outcome,reason,detail,in_words\r\n2,new,,,ny\r\n3,invalid,external_id_taken,"
    )
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


def test_an_import_of_the_command_line_is_shown_and_left_to_it(stina: StaffBrowser, session: Session) -> None:
    place = planned(stina)
    session.execute(update(ImportBatchRow).values(actor=Actor.SYSTEM, actor_id=None))
    session.commit()
    page = Page(stina.get(place))
    assert "flask --app app import apply" in page.text
    assert apply(stina, place).status_code == 409
    assert stina.post(f"{place}/columns", {"column-0": "email"}).status_code == 409


def test_a_dry_run_says_how_far_it_has_come(stina: StaffBrowser, session: Session) -> None:
    place = uploaded(stina)
    session.execute(update(ImportBatchRow).values(stage=ImportStage.RECEIVED, planned={"percent_read": 37}))
    session.commit()
    page = Page(stina.get(place))
    assert page.find("progress").get("value") == "37"
