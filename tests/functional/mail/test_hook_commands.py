"""`flask hooks`: the address to enter, secrets once, counts, and one clear line on bad input."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from preferences.models.esp import EspHookRow
from preferences.services.webhooks.mailers import create_mailer
from tests.support.client import StrictClient
from tests.support.esp.samples import SAMPLES


def run(app: Flask, *arguments: str, **more: Any) -> Result:
    return app.test_cli_runner().invoke(args=["hooks", *arguments], **more)


@pytest.fixture(autouse=True)
def mailer(session: Session, now: Any) -> None:
    create_mailer(session, key="news", name="News", now=now)
    session.commit()


def test_the_printed_address_works_at_once(app: Flask, client: StrictClient) -> None:
    done = run(app, "add", "news", "postmark", "--purpose", "marketing")
    assert done.exit_code == 0, done.output
    printed = urlsplit(done.stdout.strip())
    assert (printed.hostname, printed.path) == ("preferences.example", "/hooks/esp/postmark/news")
    credentials = base64.b64encode(f"{printed.username}:{printed.password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    assert client.post(printed.path, data=b'{"RecordType": "New"}', headers=headers).status_code == 200
    [listed] = json.loads(run(app, "list", "--json").stdout)
    assert listed == {
        "mailer": "news",
        "provider": "postmark",
        "scheme": "basic",
        "purpose": "marketing",
        "events": [{"type": "unknown", "native": "New", "count": 1, "waiting": 1}],
    }
    text = run(app, "list").stdout
    assert "unknown (New): 1, 1 waiting" in text
    assert str(printed.password) not in text


def test_a_secret_of_the_provider_is_given_or_asked_for(app: Flask, session: Session) -> None:
    key = SAMPLES["sendgrid"].secrets["public_key"]
    assert (
        run(app, "add", "news", "sendgrid", "--secret", f"public_key={key}").stdout.strip().endswith("/sendgrid/news")
    )
    asked = run(app, "add", "news", "mailgun", "--secret", "signing_key", input="s3cret\n")
    assert "s3cret" not in asked.output
    session.commit()
    assert {row.provider: row.secrets for row in session.query(EspHookRow)} == {
        "sendgrid": {"scheme": "signed", "public_key": key},
        "mailgun": {"scheme": "signed", "signing_key": "s3cret"},
    }


def test_a_hook_is_rotated_and_removed(app: Flask, session: Session) -> None:
    first = json.loads(run(app, "add", "news", "postmark", "--json").stdout)["url"]
    second = run(app, "rotate", "news", "postmark", "--hours", "1").stdout.strip()
    assert first != second
    session.commit()
    row = session.query(EspHookRow).one()
    assert row.former_secrets is not None
    assert row.former_secrets["password"] in first
    session.commit()
    assert run(app, "remove", "news", "postmark").exit_code == 0
    assert run(app, "list").stdout.startswith("No hooks yet")


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "news", "nobody"],
        ["add", "nobody", "postmark"],
        ["add", "news", "postmark", "--purpose", "nothing"],
        ["add", "news", "postmark", "--secret", "signing_key=x"],
        ["add", "news", "mailgun"],
        ["add", "news", "mailgun", "--secret", "signing_key="],
        ["add", "news", "sendgrid", "--secret", "public_key=rubbish"],
        ["add", "news", "ses", "--secret", "topic_arn=rubbish"],
        ["rotate", "news", "postmark"],
        ["remove", "news", "postmark"],
        ["replay", "--mailer", "nobody"],
        ["replay", "--provider", "nobody"],
        ["replay", "--days", "0"],
        ["soft-bounces", "--at-least", "0"],
    ],
)
def test_bad_input_is_one_clear_line_and_changes_nothing(app: Flask, session: Session, arguments: list[str]) -> None:
    done = run(app, *arguments)
    assert done.exit_code in {1, 2}
    assert [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "Traceback" not in done.output
    assert session.query(EspHookRow).count() == 0


def test_the_same_hook_twice_is_a_conflict(app: Flask) -> None:
    run(app, "add", "news", "postmark")
    again = run(app, "add", "news", "postmark")
    assert (again.exit_code, again.stdout) == (1, "")
