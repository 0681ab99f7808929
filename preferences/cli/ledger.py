"""`flask ledger`: verify that choices say what the ledger says; rebuild them."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from preferences.models.transaction import reading, transaction
from preferences.services.verify import rebuild_choices, verify_ledger

ledger = AppGroup("ledger", help="The append-only ledger and the choices folded from it.")


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(as_json: bool) -> None:
    """Fold the whole ledger and compare with the choices. Exits 1 where they differ."""
    with reading() as session:
        found = verify_ledger(session)
    if as_json:
        click.echo(
            json.dumps({"entries": found.entries, "choices": found.choices, "differences": len(found.differences)})
        )
    else:
        click.echo(f"{found.entries} entries, {found.choices} choices, {len(found.differences)} differences.")
        for one in found.differences[:20]:
            click.echo(
                f"  recipient {one.recipient_id}, purpose {one.purpose_id}: stored {one.stored.act}, folded {one.folded.act}"
            )
    if not found.is_sound:
        raise SystemExit(1)


@ledger.command("rebuild")
def rebuild() -> None:
    """Throw the choices away and fold them anew."""
    with transaction() as session:
        count = rebuild_choices(session)
    click.echo(f"{count} choices rebuilt.")
