"""docs/settings.md lists exactly the settings that exist, with the defaults they have (house rule 13)."""

from __future__ import annotations

from dataclasses import fields

from preferences.config import PREFIX, Settings
from preferences.safe_settings import BETWEEN, KEYS, REQUIRED, SAMPLES
from tests.support.settings_table import PAGE, with_table


def test_table_of_settings_is_that_of_the_code() -> None:
    page = PAGE.read_text()
    assert page == with_table(page), "run `python -m tests.support.settings_table`"
    assert all(f"`{PREFIX}{one.name.upper()}`" in page for one in fields(Settings))


def test_every_number_has_its_bounds() -> None:
    numbers = {one.name for one in fields(Settings) if str(one.type) == "int"}
    assert numbers == set(BETWEEN)


def test_every_secret_is_marked_and_every_rule_names_a_setting() -> None:
    names = {one.name for one in fields(Settings)}
    assert {*REQUIRED, *SAMPLES, *KEYS, *BETWEEN} <= names
    assert {one.name for one in fields(Settings) if one.metadata["secret"]} == {
        *KEYS,
        "mail_password",
        "metrics_key",
        "oidc_client_secret",
    }
