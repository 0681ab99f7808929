"""How long each kind of data is kept, what would go now, letting it go, the record of what went (GDPR 5(1)(e); L10, L18)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.retention import Kind, Rule, RunSource
from preferences.domain.retention_rules import RULES
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.upkeep.retention_runs import retention_runs
from preferences.services.retention import Progress, first_of, next_portion, retention_standing
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import LARGEST_ID, asked, asked_number, done, said
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.words import staff_word
from preferences.web.plumbing import settings, utc_now

AT_ONCE = 200
"""Rows, or people, a rule and press of the button: a request has to end. The worker takes the rest."""
MESSAGES = {
    "run": lazy_gettext("What was over has been removed. The record below says how much."),
    "more": lazy_gettext("One portion has been removed, and more is left: press again, or leave it to the worker."),
    "nothing": lazy_gettext("There was nothing to remove."),
}


@blueprint.get("/retention")
@access(Access.STAFF)
@needs(Permission.RUN_RETENTION)
def retention() -> str:
    """Every rule with the day before which things go, and the record of what went."""
    now, months = utc_now(), settings().retention_months
    rule, every = asked("rule"), asked("runs") == "every"
    wanted = Kind(rule) if rule in [*Kind] else None
    before = asked_number(BEFORE)
    with reading() as session:
        runs = retention_runs(
            session,
            rule=wanted,
            least=0 if every else 1,
            before=None if before is None else min(before, LARGEST_ID),
            limit=ROWS + 1,
        )
    return render_template(
        "admin/records/retention.html",
        rules=[(one, period_in_words(one, months), one.cutoff(months, now)) for one in RULES.values()],
        page=page_of(runs, lambda one: one.id),
        rule=wanted or "",
        every=every,
        kinds=[(one.value, staff_word("retention", one)) for one in Kind if not RULES[one].is_kept],
        done=said(MESSAGES),
    )


@blueprint.get("/retention/run")
@access(Access.STAFF)
@needs(Permission.RUN_RETENTION)
def review_retention() -> str:
    """The dry run: what would go now, counted rule by rule. Changes nothing."""
    now, months = utc_now(), settings().retention_months
    with reading() as session:
        found = retention_standing(session, months, now=now)
    due = [(one, period_in_words(one.rule, months)) for one in found if not one.rule.is_kept]
    total = sum(one.due for one, _ in due)
    return render_template("admin/records/retention_run.html", due=due, total=total, at_once=AT_ONCE, counted_at=now)


@blueprint.post("/retention/run")
@access(Access.STAFF)
@needs(Permission.RUN_RETENTION)
@fresh
def run_retention_now() -> Response:
    """One portion of every rule, each in a transaction of its own with its record."""
    now, months = utc_now(), settings().retention_months
    runs = [_remove(rule, months, now) for rule in RULES.values() if not rule.is_kept]
    total = sum(one.removed for one in runs)
    with transaction() as session:
        data: dict[str, Any] = {"removed": total, **{one.rule.kind: one.removed for one in runs if one.removed}}
        record_audit(session, staff_id(), AuditAction.RETENTION_RUN, AuditTarget(AuditObject.RULE), data=data, now=now)
    is_left = not all(one.is_done for one in runs)
    return done("admin.retention", "more" if is_left else "run" if total else "nothing")


def period_in_words(rule: Rule, months: dict[str, int]) -> str:
    """How long it is kept, in the language of the page."""
    if rule.is_kept:
        return str(gettext("always, as proof"))
    if rule.days is not None:
        words = ngettext("%(num)s day", "%(num)s days", rule.days) if rule.days else gettext("no longer than that")
        return str(words)
    chosen = months.get(rule.setting or "", 0)
    if not chosen:
        return str(gettext("until the person is erased"))
    return str(ngettext("%(num)s month", "%(num)s months", chosen))


def _remove(rule: Rule, months: dict[str, int], now: datetime) -> Progress:
    with transaction() as session:
        return next_portion(session, first_of(rule), months, source=RunSource.STAFF, now=now, limit=AT_ONCE)
