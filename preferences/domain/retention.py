"""What a rule about keeping data says; the table of them is retention_rules.py (GDPR 5(1)(e), 13(2)(a), 30(1)(f)).

Months are the company's to choose (settings `RETAIN_…_MONTHS`, 0: until it is erased for another reason); days are fixed,
because something works only that long. What has neither is kept as proof, and holds no personal data that could be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """A kind of data."""

    UNUSED_RECIPIENTS = "unused_recipients"
    EVIDENCE = "evidence"
    RIGHTS_REQUESTS = "rights_requests"
    TAKEDOWNS = "takedowns"
    PARTICIPANTS = "participants"
    AUDIT_REASONS = "audit_reasons"
    ADDRESS_CHANGES = "address_changes"
    CONFIRMATIONS = "confirmations"
    SIGN_UPS = "sign_ups"
    STEP_UPS = "step_ups"
    MAIL_JOBS = "mail_jobs"
    IDEMPOTENCY_KEYS = "idempotency_keys"
    IMPORT_FILES = "import_files"
    IMPORT_REPORTS = "import_reports"
    WEBHOOKS = "webhooks"
    ESP_PAYLOADS = "esp_payloads"
    ESP_EVENTS = "esp_events"
    STAFF_SESSIONS = "staff_sessions"
    SIGN_IN_FAILURES = "sign_in_failures"
    LEDGER = "ledger"
    SUPPRESSIONS = "suppressions"
    CHANGE_EVENTS = "change_events"
    POLICY_NOTICES = "policy_notices"
    AUDIT = "audit"


class RunSource(StrEnum):
    """Who had a rule applied."""

    WORKER = "worker"
    COMMAND = "command"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table. `setting` names the field that holds the months; `days` is fixed; neither: kept."""

    kind: Kind
    what: str
    tables: tuple[str, ...]
    counted_from: str
    why: str
    ground: str
    setting: str | None = None
    days: int | None = None

    @property
    def is_kept(self) -> bool:
        """Whether it is kept as proof."""
        return self.setting is None and self.days is None

    def cutoff(self, months: Mapping[str, int], now: datetime) -> datetime | None:
        """What is older goes; None where nothing does."""
        if self.days is not None:
            return now - timedelta(days=self.days)
        chosen = months.get(self.setting or "", 0)
        return _months_before(now, chosen) if chosen else None

    def how_long(self, months: Mapping[str, int]) -> str:
        """The period in words."""
        if self.days is not None:
            return {0: "at once", 1: "1 day"}.get(self.days, f"{self.days} days")
        if self.setting is None:
            return "kept"
        chosen = months.get(self.setting, 0)
        return f"{chosen} months" if chosen else "until erased"


def _months_before(moment: datetime, months: int) -> datetime:
    """The same day so many months earlier, or the last one of a shorter month."""
    total = moment.year * 12 + moment.month - 1 - months
    year, month = divmod(total, 12)
    for day in range(moment.day, moment.day - 4, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
