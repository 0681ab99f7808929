"""`flask keys`: make keys, rotate them, re-encrypt with the newest, retire old ones. See docs/keys.md.

`python -m preferences.cli.keys generate` needs no settings: for a machine on which the service does not start yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import PREFIX, Settings
from preferences.instance import (
    KEYS_FILE,
    generate_key,
    holds_key,
    retire_instance_keys,
    rotate_instance_key,
)
from preferences.models.transaction import reading, transaction
from preferences.queries.ledger.seal import newest_head
from preferences.services.ledger.sealing import SealKeys
from preferences.services.upkeep.rotation import EncryptedColumn, count_older, encrypted_columns, re_encrypt_batch

FIELDS = {
    "secret": "secret_keys",
    "link": "link_keys",
    "data": "data_keys",
    "index": "index_key",
    "seal": "seal_keys",
}

keys = AppGroup("keys", help="The keys of the service: make, rotate, re-encrypt, retire.")


@keys.command("generate", with_appcontext=False)
@click.argument("name", type=click.Choice(list(FIELDS)), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def generate(name: str | None, as_json: bool) -> None:
    """Print fresh keys as settings: all of them, or one. Nothing is stored."""
    made = {_variable(one): generate_key() for one in ([name] if name else FIELDS)}
    if as_json:
        click.echo(json.dumps(made))
        return
    for variable, key in made.items():
        click.echo(f"{variable}={key}")


@keys.command("rotate")
@click.argument("name", type=click.Choice(list(FIELDS)))
def rotate(name: str) -> None:
    """Add a fresh key that signs or encrypts from now on; older ones go on verifying and decrypting."""
    settings = _settings()
    if name == "index" or holds_key(settings, FIELDS[name]):
        rotate_instance_key(settings.instance_path / KEYS_FILE, FIELDS[name])
        click.echo(
            f"A new {name} key is in {settings.instance_path / KEYS_FILE}. Restart every process of the service."
        )
    else:
        variable = _variable(name)
        click.echo(f"{variable}=${{{variable}}},{generate_key()}")
        click.echo(f"Set {variable} to its present value with this key at its end; restart every process.", err=True)
    if name == "data":
        click.echo("Then run `flask --app app keys re-encrypt`.", err=True)


@keys.command("re-encrypt")
@click.option("--batch", default=500, show_default=True, type=click.IntRange(1, 10_000), help="Values a transaction.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def re_encrypt(batch: int, as_json: bool) -> None:
    """Encrypt everything that an older data key wrote with the newest one. May run beside the service, and be repeated."""
    columns = list(encrypted_columns())
    changed, unreadable = 0, {}
    with click.progressbar(length=sum(_older(columns).values()), label="Re-encrypting", file=sys.stderr) as bar:
        for column in columns:
            failed = 0
            for step_changed, step_failed in _batches(column, batch):
                changed, failed = changed + step_changed, failed + step_failed
                bar.update(step_changed + step_failed)
            if failed:
                unreadable[column.where] = failed
    left = sum(_older(columns).values())
    if as_json:
        click.echo(json.dumps({"changed": changed, "unreadable": unreadable, "left": left}))
    else:
        click.echo(f"{changed} values re-encrypted, {left} left under older keys.")
    if unreadable:
        places = ", ".join(f"{count} in {where}" for where, count in unreadable.items())
        raise click.ClickException(f"no key of {PREFIX}DATA_KEYS opens these values: {places}")


@keys.command("retire")
@click.argument("name", type=click.Choice(["secret", "data", "seal"]))
def retire(name: str) -> None:
    """Drop all keys but the newest. Refuses while stored values need one; link keys stay, links never expire (M9)."""
    settings = _settings()
    if name == "seal":
        _refuse_before_the_change_is_sealed(settings)
    if name == "data":
        needed = {where: count for where, count in _older(list(encrypted_columns())).items() if count}
        if needed:
            places = ", ".join(f"{count} in {where}" for where, count in needed.items())
            raise click.ClickException(f"older data keys are still needed ({places}): run `keys re-encrypt` first")
    if holds_key(settings, FIELDS[name]):
        dropped = retire_instance_keys(settings.instance_path / KEYS_FILE, FIELDS[name])
        click.echo(f"{dropped} old {name} keys dropped. Restart every process of the service.")
    else:
        click.echo(f"Nothing needs the older keys: set {_variable(name)} to its last key alone; restart every process.")


def _refuse_before_the_change_is_sealed(settings: Settings) -> None:
    """The first head of a new key is signed by the old one too: whoever trusts that one learns of the change."""
    with reading() as session:
        last = newest_head(session)
    if last is not None and last.signed.head.public_key != SealKeys(settings.seal_keys).newest:
        raise click.ClickException("no head is signed by the newest key yet: run `ledger seal` after the next act")


def _batches(column: EncryptedColumn, limit: int) -> Iterator[tuple[int, int]]:
    after = None
    while True:
        with transaction() as session:
            step = re_encrypt_batch(session, column, after=after, limit=limit)
        yield step.changed, step.unreadable
        if step.last is None:
            return
        after = step.last


def _older(columns: list[EncryptedColumn]) -> dict[str, int]:
    with reading() as session:
        return {column.where: count_older(session, column) for column in columns}


def _settings() -> Settings:
    settings: Settings = current_app.extensions["preferences.settings"]
    return settings


def _variable(name: str) -> str:
    return PREFIX + FIELDS[name].upper()


if __name__ == "__main__":
    keys(prog_name="python -m preferences.cli.keys")
