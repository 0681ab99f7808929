"""Journeys in the admin pages that end in a proof: an import revives nobody, a policy reaches all, tampering is found."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from tests.factories import act, make_recipient
from tests.support.admin_imports import HEAD, run
from tests.support.rights import send_all
from tests.support.seals import seal
from tests.support.tampering import tamper

from .admin_screens import enter_admin
from .conftest import Live
from .looking import Looker

pytestmark = pytest.mark.slow
ROWS = f"""{HEAD}
åsa@exempel.example;Åsa Öberg;marketing;given;2024-05-01;mässan
anna@example.se;Änna Ek;marketing;given;2024-05-01;mässan
"""


@pytest.mark.parametrize("looker", ["sv"], indirect=True)
def test_an_import_holds_who_opted_out_and_goes_on_without_anybody_watching(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker, Role.MARKETER)
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    looker.go("/admin/imports")
    file = FilePayload(name="mässan åäö.csv", mimeType="text/csv", buffer=ROWS.encode("cp1252"))
    page.locator("input[type=file]").set_input_files(file)
    page.locator("main form button").click()
    assert page.locator("#field-column-1").input_value() == "name"
    assert "Åsa Öberg" in page.locator(".file-columns").inner_text()
    looker.look("admin-import-columns")
    page.locator("main form button").click()
    assert page.locator("progress").count() == 1
    looker.go("/admin")  # away from it
    assert run() == 1
    looker.go("/admin")
    page.get_by_role("link", name="mässan åäö.csv").click()
    assert "1 rad skulle återuppliva någon" in page.locator("main").inner_text()
    looker.look("admin-import-decide")
    page.get_by_role("link", name="Genomför …").click()
    looker.look("admin-import-sure")
    page.get_by_role("button", name="Genomför").click()
    assert page.locator("progress").count() == 1
    looker.go("/admin")
    assert run() == 1
    page.go_back()
    page.reload()
    looker.look("admin-import-applied")
    with page.expect_download() as download:
        page.locator("a[href$='report.csv']").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["2", "new"], ["3", "held"]]


@pytest.mark.parametrize("looker", ["en"], indirect=True)
def test_a_major_policy_change_reaches_everybody_with_a_pause_on_the_way(
    session: Session, live: Live, looker: Looker
) -> None:
    page = looker.page
    enter_admin(session, looker, Role.PRIVACY_OFFICER)
    act(session, make_recipient(session, locale="sv"), "marketing", Act.WITHDRAWN)
    make_recipient(session, "bo@example.se", locale="en")
    looker.go("/admin/policy/new")
    for locale, changes, body in (
        ("sv", "Vi sparar kortare.", "# Tid\n\nFem år."),
        ("en", "Less.", "# Time\n\nFive years."),
    ):
        page.locator(f"#field-changes-{locale}").fill(changes)
        page.locator(f"#field-body-{locale}").fill(body)
    page.locator("input[value=major]").check()
    page.locator("button[value=preview]").click()
    looker.look("admin-policy-preview")
    page.locator("button[value=publish]").click()
    page.locator("main a.button[href$=announce]").click()
    looker.look("admin-policy-sure")
    page.locator("main form button").click()
    assert "0 of 2" in page.locator("main").inner_text()
    page.locator("form[action$=pause] button").click()
    assert send_all(live.app) == {}, "paused is paused"
    looker.look("admin-policy-paused")
    page.locator("form[action$=resume] button").click()
    told = send_all(live.app)
    assert "Vi sparar kortare." in told["anna@example.se"].part("plain"), "an opt-out from marketing is no reason (L21)"
    assert set(told) == {"anna@example.se", "bo@example.se"}
    page.reload()
    assert "2 of 2" in page.locator("main").inner_text()
    looker.look("admin-policy-told")


@pytest.mark.parametrize("looker", ["sv"], indirect=True)
def test_an_entry_changed_behind_the_triggers_is_named_and_the_receipt_still_proves_it(
    session: Session, live: Live, looker: Looker, tmp_path: Path
) -> None:
    page = looker.page
    anna = make_recipient(session, name="Anna Ek")
    entry = act(session, anna, "marketing", Act.REFUSED)
    act(session, make_recipient(session, "bo@example.se"), "marketing", Act.GIVEN)
    seal(session)
    enter_admin(session, looker, Role.PRIVACY_OFFICER)
    looker.go(f"/admin/recipients/{format_recipient_id(anna.id)}")
    with page.expect_download() as download:
        page.locator("a[href$='evidence.zip']").click()
    with zipfile.ZipFile(download.value.path()) as pack:
        pack.extractall(tmp_path)
    verify = [sys.executable, "-I", "verify_receipt.py", f"proofs/{entry}.proof.json"]
    said = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    looker.go("/admin/seals")
    page.locator("form[action$=verify] button").click()
    looker.look("admin-seals-in-order")
    tamper(session, "UPDATE ledger_entries SET act = 'given' WHERE id = :id", id=entry)
    page.locator("form[action$=verify] button").click()
    assert f"{entry}" in page.locator(".notice.bad").inner_text()
    looker.look("admin-seals-tampered")
    ran = live.app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert ran.exit_code != 0
    assert f"entry {entry}" in ran.output.lower()
    proof = tmp_path / "proofs" / f"{entry}.proof.json"
    proof.write_text(proof.read_text().replace("refused", "given"))
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 1
