"""`flask ledger`: verify that choices say what the ledger says; rebuild them."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import AppGroup

from preferences.domain.recipient_id import format_recipient_id
from preferences.models.transaction import reading, snapshot, transaction
from preferences.services.verify import Verified, count_entries, rebuild_choices, verify_ledger

ledger = AppGroup("ledger", help="The append-only ledger and the choices folded from it.")


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(as_json: bool) -> None:
    """Fold the whole ledger and compare with the choices. Changes nothing; exits 1 where they differ."""
    with snapshot() as session, _bar(count_entries(session), "Folding") as bar:
        found = verify_ledger(session, tick=bar.update)
    if as_json:
        click.echo(json.dumps({"entries": found.entries, "choices": found.choices, "differences": _listed(found)}))
    else:
        click.echo(f"{found.entries} entries, {found.choices} choices, {len(found.differences)} differences.")
        for one in found.differences[:20]:
            click.echo(
                f"  recipient {format_recipient_id(one.recipient_id)}, purpose {one.purpose_id}: "
                f"stored {one.stored.act}, folded {one.folded.act}"
            )
    if not found.is_sound:
        raise SystemExit(1)


@ledger.command("rebuild")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def rebuild(as_json: bool) -> None:
    """Throw the choices away and fold them anew. Acts that arrive meanwhile wait until it is done."""
    with reading() as session:
        entries = count_entries(session)
    with transaction() as session, _bar(entries, "Folding") as bar:
        count = rebuild_choices(session, tick=bar.update)
    click.echo(json.dumps({"choices": count}) if as_json else f"{count} choices rebuilt.")


def _bar(length: int, label: str) -> click._termui_impl.ProgressBar[int]:
    return click.progressbar(length=length, label=label, file=sys.stderr, update_min_steps=1000)


def _listed(found: Verified) -> list[dict[str, object]]:
    return [
        {
            "recipient": format_recipient_id(one.recipient_id),
            "purpose_id": one.purpose_id,
            "training_id": one.training_id,
            "stored": one.stored.act,
            "folded": one.folded.act,
        }
        for one in found.differences
    ]
