"""`flask purposes`: list purposes, add them and publish new notice versions from a file, archive them. See docs/purposes.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.errors import Conflict, InvalidValue
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.services.purposes.purpose_files import MAX_BYTES, read_definition
from preferences.services.purposes.purposes import NewPurpose, add_purpose, archive_purpose, publish_version

purposes = AppGroup("purposes", help="Purposes, topics and the notices that explain them.")
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@purposes.command("list")
@click.option("--archived", is_flag=True, help="List archived ones too.")
@_as_json
def list_purposes(archived: bool, as_json: bool) -> None:
    """List purposes in use, topics under theirs, with lawful basis and notice version."""
    with reading() as session:
        known = catalogue(session)
    shown = [one for one in _in_order(known) if archived or not one.purpose.is_archived]
    if as_json:
        click.echo(json.dumps([_described(known, one) for one in shown], ensure_ascii=False))
        return
    for one in shown:
        purpose = one.purpose
        notes = f"version {one.number}, {'+'.join(sorted(one.texts))}"
        if purpose.customer_exception:
            notes += ", customer exception"
        if purpose.archived_at:
            notes += f", archived {purpose.archived_at:%Y-%m-%d}"
        indented = ("  " if purpose.parent_id else "") + purpose.key
        click.echo(f"{indented:<24} {purpose.lawful_basis:<20} {notes}")


@purposes.command("add")
@_file
@_as_json
def add(file: Path, as_json: bool) -> None:
    """Add the purpose or topic that FILE defines (TOML, or JSON when it ends in .json)."""
    new = _read(file)
    with transaction() as session:
        add_purpose(session, new, now=datetime.now(UTC))
    click.echo(json.dumps({"key": new.key, "version": 1}) if as_json else f"{new.key} added, version 1.")


@purposes.command("publish")
@_file
@_as_json
def publish(file: Path, as_json: bool) -> None:
    """Publish the texts and lawful basis of FILE as the next notice version of its purpose."""
    new = _read(file)
    with transaction() as session:
        _refuse_moves(catalogue(session), new)
        number = publish_version(
            session,
            new.key,
            texts=new.texts,
            lawful_basis=new.lawful_basis,
            customer_exception=new.customer_exception,
            now=datetime.now(UTC),
        )
    click.echo(
        json.dumps({"key": new.key, "version": number}) if as_json else f"{new.key}: version {number} published."
    )


@purposes.command("archive")
@click.argument("key")
@_as_json
def archive(key: str, as_json: bool) -> None:
    """Stop using the purpose KEY and its topics. Nothing is deleted: what people chose goes on stopping things (T25)."""
    with transaction() as session:
        archive_purpose(session, key, now=datetime.now(UTC))
    click.echo(json.dumps({"key": key, "archived": True}) if as_json else f"{key} archived.")


def _read(file: Path) -> NewPurpose:
    with file.open("rb") as opened:
        new = read_definition(file.name, opened.read(MAX_BYTES + 1))
    settings: Settings = current_app.extensions["preferences.settings"]
    missing = [locale for locale in settings.locales if locale not in {text.locale for text in new.texts}]
    if missing:
        raise InvalidValue(f"There is no text in {', '.join(missing)} (PREFERENCES_LOCALES).", pointer="/texts")
    return new


def _refuse_moves(known: Catalogue, new: NewPurpose) -> None:
    purpose = known.by_key(new.key, pointer="/key").purpose
    parent = None if purpose.parent_id is None else known.path_to(purpose)[0].key
    if purpose.about is not new.about:
        raise Conflict(f"{new.key} is about {purpose.about}, and stays so: add another purpose.", pointer="/about")
    if new.parent_key != parent:
        raise Conflict(f"{new.key} stands under {parent or 'no purpose'}, and stays there.", pointer="/parent")


def _in_order(known: Catalogue) -> list[Described]:
    tops = [one for one in known.all() if one.purpose.parent_id is None]
    return [
        one for top in tops for one in (top, *(sub for sub in known.all() if sub.purpose.parent_id == top.purpose.id))
    ]


def _described(known: Catalogue, one: Described) -> dict[str, object]:
    purpose = one.purpose
    return {
        "key": purpose.key,
        "parent": None if purpose.parent_id is None else known.path_to(purpose)[0].key,
        "about": purpose.about,
        "lawful_basis": purpose.lawful_basis,
        "customer_exception": purpose.customer_exception,
        "version": one.number,
        "archived_at": purpose.archived_at.isoformat() if purpose.archived_at else None,
        "titles": {locale: text.title for locale, text in one.texts.items()},
    }
