"""`flask trainings`: trainings, who takes part, and the notice before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Any

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.domain.errors import InvalidValue
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.trainings import Participant, count_told_before_it_moved, participants
from preferences.queries.photos.trainings import trainings as every_training
from preferences.services.photos.trainings import (
    Told,
    add_participants,
    add_training,
    change_training,
    correct_notices,
    find_training,
    notify_participants,
    remove_participants,
)

trainings = AppGroup("trainings", help="Trainings at which photos are taken, and who may be published.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@trainings.command("add")
@click.argument("title")
@click.option("--on", "held_on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day, as YYYY-MM-DD.")
@click.option("--place", default="", help="Where it is held.")
@click.option(
    "--language", "languages", multiple=True, help="A language it is held in, the first one first; repeat it."
)
@_JSON
def add(title: str, held_on: datetime, place: str, languages: Sequence[str], as_json: bool) -> None:
    """Add a training and print its number."""
    with transaction() as session:
        number = add_training(
            session,
            title=title,
            place=place,
            held_on=held_on.date(),
            languages=_offered(languages),
            now=datetime.now(UTC),
        )
    click.echo(json.dumps({"id": number}) if as_json else str(number))


@trainings.command("list")
@_JSON
def list_trainings(as_json: bool) -> None:
    """Every training with how many take part and how many have been told."""
    with reading() as session:
        found = every_training(session)
    rows = [
        {
            "id": one.training.id,
            "held_on": one.training.held_on.isoformat(),
            "title": one.training.title,
            "place": one.training.place,
            "languages": list(one.training.languages),
            "cancelled_at": moment(one.training.cancelled_at),
            "participants": one.participants,
            "notified": one.notified,
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row, one in zip(rows, found, strict=True):
        where = f", {row['place']}" if row["place"] else ""
        spoken = f", in {' and '.join(one.training.languages)}" if one.training.languages else ""
        told = f"{row['notified']} of {row['participants']} told"
        cancelled = ", CANCELLED" if one.training.cancelled_at else ""
        click.echo(f"{row['id']}  {row['held_on']}  {row['title']}{where}{spoken}{cancelled}  ({told})")
    if not rows:
        click.echo("No trainings yet: flask --app app trainings add TITLE --on YYYY-MM-DD")


@trainings.command("change")
@click.argument("number", type=int)
@click.option("--title", help="What it is called from now on.")
@click.option("--on", "held_on", type=click.DateTime(["%Y-%m-%d"]), help="The day, as YYYY-MM-DD.")
@click.option("--place", help="Where it is held.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="A language it is held in, the first one first; replaces all; repeat it.",
)
@click.option("--any-language", is_flag=True, help="Say no language: each is told in their own.")
@_JSON
def change(
    number: int,
    title: str | None,
    held_on: datetime | None,
    place: str | None,
    languages: Sequence[str],
    any_language: bool,
    as_json: bool,
) -> None:
    """Change what is given, and leave the rest. Nobody is told of it by itself: `trainings notify --changed` does that."""
    if languages and any_language:
        raise click.UsageError("--language and --any-language say different things")
    with transaction() as session:
        before = find_training(session, number)
        change_training(
            session,
            before,
            title=before.title if title is None else title,
            place=before.place if place is None else place,
            held_on=held_on.date() if held_on else before.held_on,
            languages=_offered(languages) if languages else () if any_language else before.languages,
            now=datetime.now(UTC),
        )
        left = count_told_before_it_moved(session, number)
    if as_json:
        click.echo(json.dumps({"id": number, "told_otherwise": left}))
        return
    click.echo("Changed.")
    if left:
        click.echo(
            f"{left} were told of another day or place: flask --app app trainings notify {number} --changed", err=True
        )


@trainings.command("participants")
@click.argument("number", type=int)
@click.option("--add", "added", multiple=True, metavar="ADDRESS|ID", help="Put a recipient on the list; repeat it.")
@click.option(
    "--add-from", type=click.File("r"), help="Put everybody in this file on it, one a line; - is standard input."
)
@click.option("--remove", "removed", multiple=True, metavar="ADDRESS|ID", help="Take a recipient off it; repeat it.")
@_JSON
def list_participants(
    number: int, added: Sequence[str], add_from: IO[str] | None, removed: Sequence[str], as_json: bool
) -> None:
    """Who takes part in a training. With options the list is changed first, wholly or not at all."""
    with transaction() as session:
        find_training(session, number)
        add_participants(session, number, _names(added, add_from), now=datetime.now(UTC))
        remove_participants(session, number, removed)
        found = participants(session, number)
    if as_json:
        click.echo(json.dumps([person_as_json(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        told = f"told {one.notified_at:%Y-%m-%d}" if one.notified_at else "not told"
        click.echo(f"{format_recipient_id(one.recipient_id)}  {name_of(one)}  ({told})")
    click.echo(f"{len(found)} on the list.", err=True)


@trainings.command("notify")
@click.argument("number", type=int)
@click.option("--changed", is_flag=True, help="Tell those who were told before the day or place was changed.")
@_JSON
def notify(number: int, changed: bool, as_json: bool) -> None:
    """Tell participants by email that photos may be published. Safe to repeat: nobody is told twice."""
    tell = correct_notices if changed else notify_participants
    enqueued, told = 0, Told(0, 0, is_done=False)
    while not told.is_done:
        with transaction() as session:
            told = tell(session, number, now=datetime.now(UTC))
        enqueued += told.enqueued
    if as_json:
        click.echo(json.dumps({"enqueued": enqueued, "left": told.left}))
        return
    click.echo(f"{enqueued} notices are on their way.")
    if told.left:
        click.echo(f"{told.left} not told: erased, restricted, or their address takes no mail.", err=True)


def _offered(languages: Sequence[str]) -> Sequence[str]:
    """The languages, each one that the service speaks. Raises InvalidValue."""
    known = current_app.extensions["preferences.settings"].locales
    for one in languages:
        if one not in known:
            raise InvalidValue(
                f"{one[:16]} is not among PREFERENCES_LOCALES ({', '.join(known)}).", pointer="/languages"
            )
    return languages


def _names(added: Sequence[str], file: IO[str] | None) -> Iterator[str]:
    yield from added
    yield from (line.strip() for line in file or () if line.strip())


def name_of(one: Participant) -> str:
    """What a participant is called in a terminal."""
    if one.name is None and one.address is None:
        return "(erased)"
    return ", ".join(part for part in (one.name or one.address, one.company) if part)


def person_as_json(one: Participant) -> dict[str, Any]:
    """A participant in the JSON of commands."""
    return {
        "id": format_recipient_id(one.recipient_id),
        "name": one.name,
        "company": one.company,
        "email": one.address,
        "notified_at": moment(one.notified_at),
    }


def moment(at: datetime | None) -> str | None:
    """A moment in the JSON of commands."""
    return at.isoformat(timespec="seconds") if at else None
