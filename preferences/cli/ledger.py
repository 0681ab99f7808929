"""`flask ledger`: seal it, list its heads, verify that it is what was sealed and that choices fit it, rebuild them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.seal import SignedHead, read_head
from preferences.models.transaction import reading, snapshot, transaction
from preferences.queries.ledger.seal import newest_heads
from preferences.services.ledger.sealing import SealKeys, seal_next
from preferences.services.ledger.verify import Verified, count_entries, rebuild_choices, verify_ledger
from preferences.services.ledger.verify_seal import SealFinding, SealVerified, verify_seal

ledger = AppGroup("ledger", help="The append-only ledger, its seal, and the choices folded from it.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
SHOWN = 20


@ledger.command("verify")
@click.option(
    "--head",
    "published",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A head kept elsewhere (JSON as published), which must still be there. May be repeated.",
)
@_JSON
def verify(published: tuple[Path, ...], as_json: bool) -> None:
    """Check the seal, fold the whole ledger and compare with the choices. Changes nothing; exits 1 where something is wrong."""
    kept = [_read(path) for path in published]
    with snapshot() as session:
        entries = count_entries(session)
        with _bar(entries, "Checking the seal") as bar:
            seal = verify_seal(session, _keys().public, published=kept, tick=bar.update)
        with _bar(entries, "Folding") as bar:
            found = verify_ledger(session, tick=bar.update)
    if as_json:
        result = {"entries": found.entries, "choices": found.choices, "differences": _listed(found), **_sealed(seal)}
        click.echo(json.dumps(result))
    else:
        _tell(found, seal)
    if not found.is_sound or not seal.is_sound:
        raise SystemExit(1)


@ledger.command("seal")
@_JSON
def seal(as_json: bool) -> None:
    """Seal every entry that is not sealed yet, as the worker does once an hour. Safe beside the service."""
    keys, made = _keys(), []
    while True:
        with transaction() as session:
            signed = seal_next(session, keys, now=datetime.now(UTC))
        if signed is None:
            break
        made.append(signed)
    if as_json:
        click.echo(json.dumps({"heads": [one.as_json() for one in made]}))
    elif made:
        click.echo(_in_words(made[-1]))
    else:
        click.echo("Nothing to seal.")


@ledger.command("heads")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many, newest first.")
@_JSON
def heads(limit: int, as_json: bool) -> None:
    """List the signed heads."""
    with reading() as session:
        found = [one.signed for one in newest_heads(session, limit)]
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found]))
        return
    for one in found:
        click.echo(_in_words(one))
    if not found:
        click.echo("Nothing is sealed yet.")


@ledger.command("rebuild")
@_JSON
def rebuild(as_json: bool) -> None:
    """Throw the choices away and fold them anew. Acts that arrive meanwhile wait until it is done."""
    with reading() as session:
        entries = count_entries(session)
    with transaction() as session, _bar(entries, "Folding") as bar:
        count = rebuild_choices(session, tick=bar.update)
    click.echo(json.dumps({"choices": count}) if as_json else f"{count} choices rebuilt.")


def _bar(length: int, label: str) -> click._termui_impl.ProgressBar[int]:
    return click.progressbar(length=length, label=label, file=sys.stderr, update_min_steps=1000)


def _keys() -> SealKeys:
    return SealKeys(current_app.extensions["preferences.settings"].seal_keys)


def _read(path: Path) -> SignedHead:
    try:
        return read_head(json.loads(path.read_bytes()[:100_000]))
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path}: is not a published head") from error


def _in_words(signed: SignedHead) -> str:
    head = signed.head
    at = head.sealed_at.isoformat(timespec="seconds")
    return f"Head {head.number}: {head.tree_size} entries, {at}, root {head.root.hex()}"


def _tell(found: Verified, seal: SealVerified) -> None:
    click.echo(f"{found.entries} entries, {found.choices} choices, {len(found.differences)} differences.")
    for one in found.differences[:SHOWN]:
        click.echo(
            f"  recipient {format_recipient_id(one.recipient_id)}, purpose {one.purpose_id}: "
            f"stored {one.stored.act}, folded {one.folded.act}"
        )
    click.echo(f"{seal.heads} heads over {seal.sealed} entries, {seal.unsealed} not sealed yet, {seal.count} findings.")
    if seal.first is not None:
        click.echo(f"The first wrong entry is {seal.first.entry}.")
    for finding in seal.findings[:SHOWN]:
        click.echo(f"  {_finding_in_words(finding)}")


def _finding_in_words(one: SealFinding) -> str:
    at = [
        f"{name} {value}"
        for name, value in (("entry", one.entry), ("sealed as", one.position), ("head", one.head))
        if value is not None
    ]
    return f"{one.wrong}: {', '.join(at)}"


def _sealed(seal: SealVerified) -> dict[str, Any]:
    return {
        "heads": seal.heads,
        "sealed": seal.sealed,
        "unsealed": seal.unsealed,
        "first_wrong_entry": None if seal.first is None else seal.first.entry,
        "findings": [
            {"wrong": one.wrong, "entry": one.entry, "position": one.position, "head": one.head}
            for one in seal.findings
        ],
    }


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
