"""`flask mailers`, `flask recipients`, `flask links`: results on standard output, one clear line on bad input."""

from __future__ import annotations

import json

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.mailer import ApiKeyRow, MailerRow
from tests.factories import make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


def test_a_created_mailer_can_call_at_once(app: Flask, client: StrictClient) -> None:
    done = run(app, "mailers", "create", "Nyhetsbrev", "--key", "news", "--scope", "suppressions:read")
    assert done.exit_code == 0, done.output
    key = done.stdout.strip()
    assert Api(client, key).get("/suppressions").status_code == 200
    assert Api(client, key).get("/recipients/0000000000001").problem(403)["code"] == "missing_scope"
    listed = json.loads(run(app, "mailers", "list", "--json").stdout)
    assert listed == [
        {
            "key": "news",
            "name": "Nyhetsbrev",
            "archived": False,
            "keys": [{"prefix": key[3:13], "state": "works", "scopes": ["suppressions:read"]}],
        }
    ]
    assert key[14:] not in run(app, "mailers", "list").output


def test_a_key_is_rotated_and_revoked_by_its_public_part(app: Flask, client: StrictClient) -> None:
    old = json.loads(run(app, "mailers", "create", "A", "--key", "a", "--days", "3", "--json").stdout)
    assert old["scopes"] == sorted(Scope)
    new = json.loads(run(app, "mailers", "rotate-key", old["key"], "--hours", "1", "--json").stdout)
    assert [Api(client, one["key"]).get("/suppressions").status_code for one in (old, new)] == [200, 200]
    assert run(app, "mailers", "revoke-key", f"pk_{old['key'][3:13]}").exit_code == 0
    assert [Api(client, one["key"]).get("/suppressions").status_code for one in (old, new)] == [401, 200]
    assert run(app, "mailers", "rotate-key", old["key"][3:13]).exit_code == 1


def test_one_more_key_for_a_mailer(app: Flask, client: StrictClient) -> None:
    run(app, "mailers", "create", "A", "--key", "a", "--scope", "links")
    key = run(app, "mailers", "add-key", "a", "--scope", "suppressions:read").stdout.strip()
    assert Api(client, key).get("/suppressions").status_code == 200


@pytest.mark.parametrize(
    "arguments",
    [
        ["mailers", "create", "A", "--key", "Not A Key"],
        ["mailers", "create", "", "--key", "a"],
        ["mailers", "create", "A"],
        ["mailers", "create", "A", "--key", "a", "--scope", "everything"],
        ["mailers", "create", "A", "--key", "a", "--days", "0"],
        ["mailers", "add-key", "nobody"],
        ["mailers", "rotate-key", "nosuchkey1"],
        ["mailers", "revoke-key", "pk_"],
        ["recipients", "show", "nobody@example.se"],
        ["recipients", "show", "not an address"],
        ["recipients", "erase", "0000000000001", "--yes"],
        ["links", "mint", "nobody@example.se"],
        ["links", "mint", "a@b.se", "--purpose", "nothing"],
        ["links", "mint"],
    ],
)
def test_bad_input_is_one_clear_line_and_changes_nothing(app: Flask, session: Session, arguments: list[str]) -> None:
    done = run(app, *arguments)
    assert done.exit_code in {1, 2}
    assert [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "Traceback" not in done.output
    assert session.query(MailerRow).count() == session.query(ApiKeyRow).count() == 0


def test_the_same_mailer_twice_is_a_conflict(app: Flask) -> None:
    run(app, "mailers", "create", "A", "--key", "a")
    again = run(app, "mailers", "create", "B", "--key", "a")
    assert (again.exit_code, again.stdout) == (1, "")


def test_a_recipient_is_shown_by_address_and_by_id(app: Flask, session: Session) -> None:
    anna = make_recipient(session, "Anna@Example.se", name="Anna Ö", profile={"telephone": "070"})
    for who in ("anna@example.se", format_recipient_id(anna.id)):
        shown = json.loads(run(app, "recipients", "show", who, "--json").stdout)
        assert (shown["email"], shown["name"], shown["profile.telephone"]) == ("Anna@Example.se", "Anna Ö", "070")
    assert "Anna Ö" in run(app, "recipients", "show", "anna@example.se").stdout


def test_erasure_asks_first_and_then_keeps_its_promise(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    asked = app.test_cli_runner().invoke(args=["recipients", "erase", "anna@example.se"], input="n\n")
    assert asked.exit_code == 1
    assert "anna@example.se" not in asked.output
    done = run(app, "recipients", "erase", "anna@example.se", "--yes", "--json")
    assert json.loads(done.stdout)["id"] == format_recipient_id(anna.id)
    assert run(app, "recipients", "erase", format_recipient_id(anna.id), "--yes").exit_code == 0
    assert run(app, "recipients", "show", "anna@example.se").exit_code == 1


def test_links_are_printed_with_their_headers(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    done = run(app, "links", "mint", "anna@example.se", "--purpose", "product_news", "--json")
    [one] = json.loads(done.stdout)
    assert one["id"] == format_recipient_id(anna.id)
    assert one["headers"]["List-Unsubscribe"] == f"<{one['unsubscribe_url']}>"
    assert (
        "List-Id: <product_news.preferences.example>"
        in run(app, "links", "mint", "anna@example.se", "--purpose", "product_news").stdout
    )


def test_links_of_some_are_printed_and_the_rest_is_an_error(app: Flask, session: Session) -> None:
    make_recipient(session)
    done = run(app, "links", "mint", "anna@example.se", "nobody@example.se")
    assert (done.exit_code, done.stdout.count("unsubscribe: ")) == (1, 1)
