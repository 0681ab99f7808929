"""The table of periods is whole: every table about a person has a rule, and months end where months end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from preferences.config import Settings
from preferences.domain.retention import Kind
from preferences.domain.retention_rules import RULES
from preferences.models import Base
from preferences.models.crypto import ENCRYPTED

KEPT_WITH_ANOTHER = {
    "api_keys": "of mailers, not of persons",
    "endpoint_secrets": "of mailers, not of persons",
    "esp_hooks": "of mailers, not of persons",
    "endpoints": "of mailers, not of persons",
    "staff": "staff, as long as they are",
    "staff_recovery_codes": "staff, as long as they are",
    "staff_invitations": "staff, as long as they are",
    "staff_identities": "staff, as long as they are",
    "staff_passkeys": "staff, as long as they are",
}
"""Tables with encrypted values, or about somebody, that the table of periods does not name, and why."""


def _about_somebody() -> set[str]:
    return {
        table.name
        for table in Base.metadata.sorted_tables
        if any(
            column.name in {"recipient_id", "staff_id"} or isinstance(column.type, ENCRYPTED)
            for column in table.columns
        )
    }


def test_every_table_about_a_person_has_a_period_or_a_reason() -> None:
    ruled = {name for rule in RULES.values() for name in rule.tables}
    missing = _about_somebody() - ruled - set(KEPT_WITH_ANOTHER)
    assert not missing, (
        f"{missing}: say in domain/retention_rules.py how long this is kept, and in services/retention.py how it goes"
    )
    assert ruled <= set(Base.metadata.tables)


def test_every_rule_says_why_and_every_setting_is_a_rules() -> None:
    assert list(RULES) == list(Kind)
    for rule in RULES.values():
        assert all((rule.what, rule.why, rule.ground, rule.tables))
        assert rule.is_kept == (not rule.counted_from)
    chosen = {rule.setting for rule in RULES.values() if rule.setting}
    assert chosen == {name for name in Settings.__dataclass_fields__ if name.startswith("retain_")}


@pytest.mark.parametrize(
    ("moment", "months", "before"),
    [
        ("2026-11-24", 24, "2024-11-24"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-05-31", 3, "2026-02-28"),
    ],
)
def test_months_are_those_of_the_calendar(moment: str, months: int, before: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    cutoff = RULES[Kind.EVIDENCE].cutoff({"retain_evidence_months": months}, now)
    assert cutoff == datetime.fromisoformat(before).replace(tzinfo=UTC)


def test_nothing_goes_where_the_company_chose_nothing() -> None:
    now = datetime.now(UTC)
    rule = RULES[Kind.UNUSED_RECIPIENTS]
    assert rule.cutoff({"retain_unused_recipients_months": 0}, now) is None
    assert rule.cutoff({}, now) is None
    assert rule.how_long({}) == "until erased"
    assert RULES[Kind.LEDGER].cutoff({}, now) is None
