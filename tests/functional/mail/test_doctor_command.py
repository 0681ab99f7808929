"""`flask doctor`: findings a line each, and an exit status to build on."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from preferences.integrations.header_doctor import examine
from preferences.integrations.header_doctor_codes import Code, Severity
from tests.factories import act, link, make_recipient, purpose
from tests.functional.mail.test_mail_informational import message, permit
from tests.support.raw_mail import POST, raw_mail
from tests.support.visits import entries


def doctor(app: Flask, *arguments: str, given: bytes = b"") -> Result:
    return app.test_cli_runner().invoke(args=["doctor", *arguments], input=given)


def test_a_good_message_from_a_file_or_a_pipe_is_sound(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "message.eml"
    path.write_bytes(raw_mail())
    for done in (doctor(app, str(path)), doctor(app, "-", given=raw_mail())):
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "0 errors, 0 warnings.")


def test_a_bad_one_is_told_line_by_line_and_fails(app: Flask) -> None:
    done = doctor(app, "-", given=raw_mail(POST))
    assert done.exit_code == 1
    assert "error: There is no List-Unsubscribe. Set it as POST /links gives it. [unsubscribe_missing]" in done.stdout


def test_json_holds_the_same(app: Flask) -> None:
    done = doctor(app, "-", "--json", given=raw_mail(POST))
    found = json.loads(done.stdout)["findings"]
    assert (done.exit_code, found[0]["code"], found[0]["severity"]) == (1, "unsubscribe_missing", "error")


def test_a_file_that_is_not_there_is_one_line(app: Flask) -> None:
    done = doctor(app, "nowhere.eml")
    assert done.exit_code == 2
    assert "nowhere.eml" in done.output


def test_what_the_service_sends_passes(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session, name="Anna Ek", locale="sv")
    act(session, anna, "product_news")
    diagnosis = examine(message(app, permit(app, session, anna.id, now), now).as_bytes())
    assert diagnosis.count(Severity.ERROR) == 0
    assert {finding.code for finding in diagnosis.findings} == {Code.DKIM_NOT_YET, Code.MAILTO_MISSING}


def test_a_link_is_tried_and_nothing_of_it_stays(app: Flask, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    done = doctor(app, "--url", f"https://preferences.example/u/{token}")
    assert done.exit_code == 0, done.output
    assert "The link works." in done.stdout
    assert "  POST without a body: 200, changed nothing: as it must be" in done.stdout
    assert entries(session) == []


def test_a_link_that_is_not_ours_fails_and_one_elsewhere_is_refused(app: Flask) -> None:
    done = doctor(app, "--url", "https://preferences.example/u/x", "--json")
    assert (done.exit_code, json.loads(done.stdout)["link"]["state"]) == (1, "not_ours")
    elsewhere = doctor(app, "--url", "https://other.example/u/x")
    assert elsewhere.exit_code == 1
    assert "https://preferences.example/u/" in elsewhere.output
    assert doctor(app).exit_code == 2
