"""`flask retention`: what is kept how long, what would go next, and let it go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.domain.retention import RunSource
from preferences.domain.retention_rules import RULES
from preferences.models.transaction import reading, transaction
from preferences.services.retention import count_due, first_of, next_portion, retention_standing

retention = AppGroup("retention", help="How long each kind of data is kept.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@retention.command("show")
@_JSON
def show(as_json: bool) -> None:
    """Every kind of data: how long it is kept, why, on what ground, and what would go now. Changes nothing."""
    with reading() as session:
        found = retention_standing(session, _months(), now=datetime.now(UTC))
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found]))
        return
    for one in found:
        click.echo(f"{one.rule.kind}: {one.how_long}, {one.due} due")
        since = f", from {one.rule.counted_from}" if one.rule.counted_from else ""
        click.echo(f"  {one.rule.what}{since}; {one.rule.why} ({one.rule.ground})")


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@_JSON
def run(dry_run: bool, as_json: bool) -> None:
    """Remove everything whose period is over, in short transactions, and record it. Safe beside the service."""
    now, months = datetime.now(UTC), _months()
    removed = {}
    for kind, rule in RULES.items():
        if rule.is_kept:
            continue
        if dry_run:
            with reading() as session:
                removed[kind.value] = count_due(session, rule, months, now=now)
            continue
        progress = first_of(rule)
        while not progress.is_done:
            with transaction() as session:
                progress = next_portion(session, progress, months, source=RunSource.COMMAND, now=now)
        removed[kind.value] = progress.removed
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "removed": removed}))
        return
    for name, count in removed.items():
        click.echo(f"{name}: {count}{' would go' if dry_run else ''}")


def _months() -> dict[str, int]:
    months: dict[str, int] = current_app.extensions["preferences.settings"].retention_months
    return months


def _facts(one: Any) -> dict[str, Any]:
    rule = one.rule
    return {
        "kind": rule.kind,
        "what": rule.what,
        "how_long": one.how_long,
        "counted_from": rule.counted_from or None,
        "why": rule.why,
        "ground": rule.ground,
        "setting": None if rule.setting is None else f"PREFERENCES_{rule.setting.upper()}",
        "tables": list(rule.tables),
        "due": one.due,
        "last_ran_at": None if one.last_ran_at is None else one.last_ran_at.isoformat(timespec="seconds"),
        "last_removed": one.last_removed,
    }
