"""The person's own copy: complete, as documented, and nothing of anybody else (GDPR 15, 20; L8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.models import Base
from preferences.models.crypto import ENCRYPTED
from tests.factories import make_recipient
from tests.support.copied import COPIED, NOT_ABOUT_RECIPIENTS, NOT_COPIED
from tests.support.full_person import PROFILE, make_full_person
from tests.support.json_schema import violations
from tests.support.step_up import step_up


@pytest.fixture
def copied(app: Flask, session: Session) -> dict[str, Any]:
    """Anna's copy, with something in every field."""
    answer = step_up(app, make_full_person(session)).client.get("/me/export.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.data)
    return found


def _values(found: Any, path: str) -> list[Any]:
    """Everything at a path; lists are walked through."""
    for step in path.split("."):
        many = found if isinstance(found, list) else [found]
        found = [inner for one in many if one is not None for inner in _list(one.get(step))]
    return [one for one in found if one is not None] if isinstance(found, list) else [found]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_copy_is_what_the_schema_says(copied: dict[str, Any], root: Path) -> None:
    schema = json.loads((root / "docs" / "own-data.schema.json").read_text())
    assert list(violations(copied, schema)) == []
    assert copied.keys() == schema["properties"].keys()


def test_a_new_persons_copy_is_what_the_schema_says(app: Flask, session: Session, root: Path) -> None:
    copy = json.loads(step_up(app, make_recipient(session)).client.get("/me/export.json").data)
    assert list(violations(copy, json.loads((root / "docs" / "own-data.schema.json").read_text()))) == []


def test_the_validator_sees_what_does_not_fit(copied: dict[str, Any], root: Path) -> None:
    schema = json.loads((root / "docs" / "own-data.schema.json").read_text())
    del copied["history"][0]["wording"]
    copied["recipient"]["shoe_size"] = 38
    copied["made_at"] = "yesterday"
    assert len(list(violations(copied, schema))) == 3


def test_every_column_about_a_person_is_in_the_copy_or_has_a_reason() -> None:
    missing: list[str] = []
    for table in Base.metadata.sorted_tables:
        about = {"recipient_id", "address_index"} & set(table.columns.keys()) or table.name in COPIED
        encrypted = any(isinstance(column.type, ENCRYPTED) for column in table.columns)
        if table.name in NOT_ABOUT_RECIPIENTS or not (about or encrypted):
            continue
        known = COPIED.get(table.name, {})
        missing += [
            f"{table.name}.{name}"
            for name in (column.name for column in table.columns)
            if name not in known and name not in NOT_COPIED and f"{table.name}.{name}" not in NOT_COPIED
        ]
    assert missing == []


def test_every_column_that_is_said_to_be_in_the_copy_is_there(copied: dict[str, Any]) -> None:
    empty = [
        f"{table}.{column}"
        for table, columns in COPIED.items()
        for column, path in columns.items()
        if not _values(copied, path)
    ]
    assert empty == []


def test_values_are_those_that_are_stored(copied: dict[str, Any]) -> None:
    me = copied["recipient"]
    assert me["address"] == "Anna.Akesson@example.se"
    assert me["profile"] == PROFILE
    assert (me["name"], me["external_id"], me["locale"], me["source"]) == (
        "Anna Åkesson",
        "kund-10027",
        "sv",
        "api:newsletter",
    )
    shown = next(entry for entry in copied["history"] if entry["wording"])
    assert (shown["purpose"], shown["act"], shown["locale"], shown["wording"]["title"]) == (
        "surveys",
        "given",
        "sv",
        "Enkäter",
    )
    sale = next(entry for entry in copied["history"] if entry["evidence"])
    assert sale["evidence"] == {
        "source": "webshop",
        "sale_reference": "order 9",
        "similar_product": "valves",
        "opt_out_offered": True,
    }
    assert sale["actor_name"] == "Newsletter"
    assert [entry["entry"] for entry in copied["history"]] == sorted(
        (one["entry"] for one in copied["history"]), reverse=True
    )


def test_the_copy_holds_no_secret_and_nobody_else(app: Flask, session: Session) -> None:
    make_recipient(session, "bo@example.se", name="Bo Bengtsson")
    me = step_up(app, make_full_person(session))
    text = me.client.get("/me/export.json").get_data(as_text=True)
    assert "bo@example.se" not in text
    assert "Bengtsson" not in text
    assert "salt" not in json.loads(text)["history"][-1]["evidence"]
    assert "code" not in json.loads(text)["mails"][0]


def test_the_copy_is_a_download_that_no_cache_keeps(app: Flask, session: Session) -> None:
    answer = step_up(app, make_full_person(session)).client.get("/me/export.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="own-data-')
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_to_print_holds_everything_that_is_about_the_person(app: Flask, session: Session) -> None:
    page = step_up(app, make_full_person(session)).client.get("/me/print").get_data(as_text=True)
    for value in (
        *PROFILE.values(),
        "Anna Åkesson",
        "kund-10027",
        "order 9",
        "R-AAAA0001",
        "T-AAAA0001",
        "Svetskurs A",
    ):
        assert value.replace("<", "&lt;").replace(">", "&gt;") in page
