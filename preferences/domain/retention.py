"""How long each kind of data is kept, why, and on what ground: one table (GDPR 5(1)(e), 13(2)(a), 30(1)(f)).

Months are the company's to choose (settings `RETAIN_…_MONTHS`, 0: until it is erased for another reason); days are fixed,
because something works only that long. What has neither is kept as proof, and holds no personal data that could be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """A kind of data."""

    UNUSED_RECIPIENTS = "unused_recipients"
    EVIDENCE = "evidence"
    RIGHTS_REQUESTS = "rights_requests"
    TAKEDOWNS = "takedowns"
    PARTICIPANTS = "participants"
    ADDRESS_CHANGES = "address_changes"
    CONFIRMATIONS = "confirmations"
    SIGN_UPS = "sign_ups"
    STEP_UPS = "step_ups"
    MAIL_JOBS = "mail_jobs"
    IDEMPOTENCY_KEYS = "idempotency_keys"
    IMPORT_FILES = "import_files"
    IMPORT_REPORTS = "import_reports"
    WEBHOOKS = "webhooks"
    STAFF_SESSIONS = "staff_sessions"
    SIGN_IN_FAILURES = "sign_in_failures"
    LEDGER = "ledger"
    SUPPRESSIONS = "suppressions"
    CHANGE_EVENTS = "change_events"
    AUDIT = "audit"


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


NECESSARY = "GDPR 5(1)(e): no longer than needed"
PROOF = "GDPR 5(2), 7(1), 17(3)(b) and (e): the company must be able to show it"

_RULES = (
    Rule(
        kind=Kind.UNUSED_RECIPIENTS,
        what="people who have consented to nothing, and about whom nothing has happened; they are erased",
        tables=("recipients", "choices"),
        counted_from="the last act, change or training",
        why="whoever is not heard of for years is no longer a customer contact",
        ground=NECESSARY,
        setting="retain_unused_recipients_months",
    ),
    Rule(
        kind=Kind.EVIDENCE,
        what="the evidence behind an act that a later one has replaced; its digest stays",
        tables=("evidence",),
        counted_from="the act that replaced it",
        why="a claim about an ended consent can still come up for some years",
        ground="GDPR 7(1), 17(3)(e)",
        setting="retain_evidence_months",
    ),
    Rule(
        kind=Kind.RIGHTS_REQUESTS,
        what="the texts of rights requests and their answers; that they were made and answered in time stays",
        tables=("rights_requests",),
        counted_from="the answer",
        why="the authority may ask how a request was answered",
        ground="GDPR 5(2), 12(3)",
        setting="retain_requests_months",
    ),
    Rule(
        kind=Kind.TAKEDOWNS,
        what="the address, note and answer of finished takedowns",
        tables=("takedowns",),
        counted_from="the end of the case",
        why="the same picture may come up again",
        ground="GDPR 5(2), 21(1)",
        setting="retain_takedowns_months",
    ),
    Rule(
        kind=Kind.PARTICIPANTS,
        what="who took part in a training",
        tables=("participants",),
        counted_from="the day of the training",
        why="pictures of it are published for some time, and the person may object to them",
        ground="GDPR 6(1)(f), 21(1)",
        setting="retain_participants_months",
    ),
    Rule(
        kind=Kind.ADDRESS_CHANGES,
        what="changes of address that came to nothing",
        tables=("address_changes",),
        counted_from="the question",
        why="one that was a mistake can be told apart for a month",
        ground=NECESSARY,
        days=30,
    ),
    Rule(
        kind=Kind.CONFIRMATIONS,
        what="what was asked for and never confirmed by the mailbox",
        tables=("confirmations",),
        counted_from="the end of its link",
        why="the page can still say that it ran out",
        ground=NECESSARY,
        days=30,
    ),
    Rule(
        kind=Kind.SIGN_UPS,
        what="sign-ups, confirmed or not: address and name of those that were not",
        tables=("sign_ups",),
        counted_from="the end of the link, seven days after the sign-up",
        why="nothing counts until the mailbox confirms",
        ground=NECESSARY,
        days=0,
    ),
    Rule(
        kind=Kind.STEP_UPS,
        what="links and codes for one's own pages, and when they were used",
        tables=("step_ups",),
        counted_from="the request",
        why="abuse shows within a month",
        ground="GDPR 32",
        days=30,
    ),
    Rule(
        kind=Kind.MAIL_JOBS,
        what="mail of our own that was sent or given up",
        tables=("outbox_jobs",),
        counted_from="the end of the job",
        why="questions about a mail that did not come",
        ground=NECESSARY,
        days=30,
    ),
    Rule(
        kind=Kind.IDEMPOTENCY_KEYS,
        what="answers kept for mailers that repeat a call",
        tables=("idempotency_keys",),
        counted_from="the call",
        why="a repeat comes within a day",
        ground=NECESSARY,
        days=1,
    ),
    Rule(
        kind=Kind.IMPORT_FILES,
        what="uploaded files whose import was not finished",
        tables=("import_parts", "import_batches"),
        counted_from="the upload",
        why="somebody still has to decide",
        ground=NECESSARY,
        days=7,
    ),
    Rule(
        kind=Kind.IMPORT_REPORTS,
        what="the report, line by line, of finished imports",
        tables=("import_parts",),
        counted_from="the end of the import",
        why="questions about what an import did",
        ground=NECESSARY,
        days=90,
    ),
    Rule(
        kind=Kind.WEBHOOKS,
        what="what was told to mailers, and the beginning of their answers",
        tables=("webhook_deliveries", "webhook_attempts"),
        counted_from="the delivery",
        why="a mailer that has missed something can be told again",
        ground="GDPR 19",
        days=30,
    ),
    Rule(
        kind=Kind.STAFF_SESSIONS,
        what="sessions of staff",
        tables=("staff_sessions",),
        counted_from="their end",
        why="abuse shows within a month",
        ground="GDPR 32",
        days=30,
    ),
    Rule(
        kind=Kind.SIGN_IN_FAILURES,
        what="failed sign-ins",
        tables=("sign_in_failures",),
        counted_from="the attempt",
        why="limits look back that far",
        ground="GDPR 32",
        days=2,
    ),
    Rule(
        kind=Kind.LEDGER,
        what="acts, with random ids and digests, sealed; notices; reasons as codes",
        tables=("ledger_entries", "sealed_entries", "stop_reasons", "notice_texts"),
        counted_from="",
        why="what a person was shown and chose must be provable years later",
        ground=PROOF,
    ),
    Rule(
        kind=Kind.SUPPRESSIONS,
        what="keyed hashes of addresses that must not be mailed",
        tables=("suppressions",),
        counted_from="",
        why="or an import would bring back who was erased",
        ground="GDPR 17(3)(b), 21(3)",
    ),
    Rule(
        kind=Kind.CHANGE_EVENTS,
        what="the feed that mailers read: ids and codes",
        tables=("change_events",),
        counted_from="",
        why="a mailer may read it from the beginning",
        ground="GDPR 19",
    ),
    Rule(
        kind=Kind.AUDIT,
        what="what staff saw and did: ids and codes",
        tables=("audit_entries", "audit_reasons"),
        counted_from="",
        why="access to personal data must be accounted for",
        ground="GDPR 5(2), 32",
    ),
)

RULES: Mapping[Kind, Rule] = MappingProxyType({rule.kind: rule for rule in _RULES})
