"""`flask staff`, and the way into the demo's admin pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from preferences.cli.setup import prepare_database
from preferences.domain.roles import Role
from preferences.models.transaction import transaction
from preferences.services.demo.staff import demo_token, seed_demo_staff
from preferences.web.plumbing import settings, utc_now
from tests.functional.mail.test_mailbox import LOCAL, local, service
from tests.support.page import Page
from tests.support.staff import browser, signed_in

__all__ = ["local"]


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["staff", *arguments])


def test_first_administrator_comes_from_a_command_and_gets_a_link(app: Flask) -> None:
    done = run(app, "create", "eva@example.se", "--name", "Eva Ek", "--role", "administrator", "--json")
    assert done.exit_code == 0, done.output
    link = json.loads(done.stdout)["link"]
    assert link.startswith("https://preferences.example/admin/invitation/")
    path = link.removeprefix("https://preferences.example")
    assert "Eva Ek" in Page(browser(app).get(path)).text
    fresh = run(app, "invite", "EVA@example.se").stdout.strip()
    assert fresh != link
    assert browser(app).get(path).status_code == 404
    listed = json.loads(run(app, "list", "--json").stdout)
    assert [(one["address"], one["role"], one["state"]) for one in listed] == [
        ("eva@example.se", "administrator", "invited")
    ]


def test_disable_enable_and_reset(app: Flask, session: Session) -> None:
    signed_in(app, session)
    mats = signed_in(app, session, Role.MARKETER, "mats@example.se")
    assert run(app, "disable", "mats@example.se").exit_code == 0
    assert mats.get("/admin").status_code == 303
    assert "disabled" in run(app, "list").stdout
    assert run(app, "enable", "mats@example.se").exit_code == 0
    assert run(app, "reset-second-factor", "mats@example.se").exit_code == 0
    assert "invited" in run(app, "list").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "not an address", "--name", "X", "--role", "viewer"),
        ("create", "a@example.se", "--name", "", "--role", "viewer"),
        ("create", "a@example.se", "--name", "X", "--role", "king"),
        ("create", "a@example.se", "--name", "X", "--role", "viewer", "--language", "xx"),
        ("invite", "nobody@example.se"),
        ("disable", "stina@example.se"),
    ],
)
def test_bad_input_is_one_line(app: Flask, session: Session, arguments: tuple[str, ...]) -> None:
    signed_in(app, session)
    done = run(app, *arguments)
    assert done.exit_code != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert run(app, "list").stdout.count("\n") == 1


def test_demo_link_opens_the_pages_in_any_role_and_on_this_machine_only(local: Flask) -> None:
    prepare_database()
    with transaction() as own:
        seed_demo_staff(own, locale="sv", now=utc_now())
        seed_demo_staff(own, locale="sv", now=utc_now())
    path = f"/admin/demo/{demo_token(settings().secret_keys[-1])}"
    for role in Role:
        client = browser(local)
        assert client.get(path, base_url=LOCAL).status_code == 200
        answer = client.post(path, base_url=LOCAL, data={"role": role.value})
        assert (answer.status_code, answer.location) == (303, "/admin")
        assert client.get("/admin", base_url=LOCAL).status_code == 200
    client = browser(local)
    assert client.post(path, base_url=LOCAL, data={"role": "king"}).status_code == 400
    assert client.get(f"/admin/demo/{'x' * 43}", base_url=LOCAL).status_code == 404
    assert client.get("/admin/demo/å", base_url=LOCAL).status_code == 404
    assert client.get(path, base_url=LOCAL, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    assert client.get(path, base_url="http://evil.example").status_code == 404


def test_demo_link_exists_in_development_alone(tmp_path: Path) -> None:
    for more in ({}, {"ENV": "development", "BASE_URL": LOCAL, "MAIL_TRANSPORT": "smtp"}):
        app = service(tmp_path, **more)
        assert not [rule for rule in app.url_map.iter_rules() if "demo" in rule.rule]
