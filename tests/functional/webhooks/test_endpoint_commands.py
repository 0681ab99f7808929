"""`flask endpoints`: one clear line on bad input, JSON where asked for, a secret printed once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from tests.factories import act, make_key, make_recipient
from tests.support.webhooks import deliveries, endpoint_row

URL = "https://hooks.example/x"


def run(app: Flask, *words: str) -> Any:
    done = app.test_cli_runner().invoke(args=["endpoints", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


def refused(app: Flask, *words: str) -> str:
    done = app.test_cli_runner().invoke(args=["endpoints", *words])
    assert done.exit_code != 0
    return done.stderr.strip().splitlines()[-1]


def test_an_endpoint_lives_from_add_to_remove(app: Flask, session: Session) -> None:
    make_key(session, mailer="shop")
    made = run(app, "add", "shop", URL, "--type", "choice.changed", "--addresses", "--ed25519", "--json")
    number = str(made["id"])
    assert made["secret"].startswith("whpk_")
    assert (made["types"], made["payload"], made["scheme"]) == (["choice.changed"], "addresses", "v1a")
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    [listed] = run(app, "list", "--json")
    assert (listed["waiting"], listed["state"], "secret" in listed) == (1, "enabled", False)
    assert URL in run(app, "list")
    message = run(app, "test", number, "--json")["message"]
    assert message == f"test_{deliveries(session)[-1].id}"
    assert run(app, "attempts", number, "--json") == []
    assert run(app, "rotate", number, "--json")["secret"] != made["secret"]
    assert run(app, "replay", number, "--json") == {"queued": 1}
    run(app, "disable", number)
    assert endpoint_row(session, made["id"]).disabled_reason == "operator"
    assert "disabled" in refused(app, "replay", number, "--after", "0")
    run(app, "enable", number)
    run(app, "remove", number)
    assert run(app, "list", "--json") == []
    assert deliveries(session) == []


@pytest.mark.parametrize(
    "words",
    [
        ("add", "nobody", URL),
        ("add", "shop", "https://10.0.0.1/"),
        ("add", "shop", "http://hooks.example/"),
        ("test", "7"),
        ("rotate", "7"),
        ("attempts", "7"),
        ("replay", "7", "--event", "1"),
        ("disable", "7"),
        ("enable", "7"),
        ("remove", "7"),
    ],
)
def test_bad_input_is_one_line(app: Flask, session: Session, words: tuple[str, ...]) -> None:
    make_key(session, mailer="shop")
    assert refused(app, *words).startswith("Error: ")
