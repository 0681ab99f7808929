"""`flask recipients`: show what is known about one, prove what they chose, or erase them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.receipt import ReceiptWords
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.transaction import reading, snapshot, transaction
from preferences.queries.choices.choices import Standing, standing
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.receipts import ReceiptLanguage, receipt_controller
from preferences.services.evidence_pack import write_evidence_pack
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.recipients.recipients import find_recipient

recipients = AppGroup("recipients", help="The people behind the addresses.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@recipients.command("show")
@click.argument("who", metavar="ADDRESS|ID")
@_JSON
def show(who: str, as_json: bool) -> None:
    """What is known about a recipient, and where they stand."""
    with reading() as session:
        found = find_recipient(session, who)
        where = standing(session, recipient_id=found.id, status=found.status, address_index=found.address_index)
        keys = {int(entry.purpose.id): entry.purpose.key for entry in catalogue(session).all()}
    facts = _facts(found, where, keys)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, value in facts.items():
        if isinstance(value, list):
            click.echo(f"{name}: {'none' if not value else ''}".rstrip())
            for row in value:
                click.echo("  " + ", ".join(f"{key} {text}" for key, text in row.items() if text is not None))
        elif value:
            click.echo(f"{name}: {value}")


@recipients.command("erase")
@click.argument("who", metavar="ADDRESS|ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
def erase(who: str, yes: bool, as_json: bool) -> None:
    """Erase everything personal about a recipient (GDPR 17). Their address is never mailed again. Cannot be undone."""
    with reading() as session:
        found = find_recipient(session, who)
    if not yes:
        click.confirm(f"Erase {format_recipient_id(found.id)} ({found.masked_address}) for good?", abort=True, err=True)
    with transaction() as session:
        erased = erase_recipient(session, found.id, source="command", now=datetime.now(UTC))
    identifier, at = format_recipient_id(erased.recipient_id), erased.erased_at.isoformat(timespec="seconds")
    if as_json:
        click.echo(json.dumps({"id": identifier, "status": "erased", "erased_at": at}))
    else:
        click.echo(f"{identifier} was erased at {at}.")


@recipients.command("evidence")
@click.argument("who", metavar="ADDRESS|ID")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The zip file to write; one that is there already is left alone.",
)
@_JSON
def evidence(who: str, out: Path, as_json: bool) -> None:
    """Write everything that proves what a recipient was shown and chose into one zip: it holds personal data."""
    if out.exists():
        raise click.ClickException(f"{out} is there already")
    with snapshot() as session:
        found = find_recipient(session, who)
        try:
            with _written_whole(out) as file:
                packed = write_evidence_pack(session, file, found, speaks=_speaks(), now=datetime.now(UTC))
        except OSError as error:
            raise click.ClickException(f"{out}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps({"file": str(out), "entries": packed.entries, "sealed": packed.sealed}))
    else:
        click.echo(f"{out}: {packed.entries} entries, {packed.sealed} of them sealed.")


@contextmanager
def _written_whole(out: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner may read, there once it is complete."""
    descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _speaks() -> ReceiptLanguage:
    """Receipts in a pack that a command makes hold codes, as the API does: whoever asks for it reads those."""
    site: Settings = current_app.extensions["preferences.settings"]
    return ReceiptLanguage(
        controller=receipt_controller(site),
        locale=site.default_locale,
        default_locale=site.default_locale,
        words=lambda one: ReceiptWords(act=one.act, method=one.method, basis=one.basis or ""),
        training_in_words=lambda one: "" if one.training is None else f"{one.training.title}, {one.training.held_on}",
    )


def _facts(found: RecipientView, where: Standing, keys: dict[int, str]) -> dict[str, object]:
    return {
        "id": format_recipient_id(found.id),
        "status": found.status.value,
        "email": found.address,
        "external_id": found.external_id,
        "locale": found.locale,
        "name": found.name,
        **{f"profile.{name}": value for name, value in found.profile.items()},
        "source": found.source,
        "created_at": found.created_at.isoformat(timespec="seconds"),
        "choices": [
            {
                "purpose": keys[purpose],
                "training": training or None,
                "act": choice.act,
                "basis": choice.basis,
                "since": choice.since.isoformat(timespec="seconds") if choice.since else None,
                "paused_until": choice.paused_until.isoformat(timespec="seconds") if choice.paused_until else None,
            }
            for (purpose, training), choice in sorted(where.choices.items(), key=lambda item: item[0])
        ],
        "suppressions": [
            {"reason": one.reason.value, "scope": one.scope.value, "purpose": keys.get(one.purpose_id or 0)}
            for one in where.suppressions
        ],
    }
