"""`flask trainings`: trainings, who takes part, the notice before, and who may be published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.domain.eligibility import Allowed, Decision
from preferences.domain.errors import InvalidValue
from preferences.domain.recipient_id import format_recipient_id
from preferences.integrations.csv_files import write_csv
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.trainings import Participant, participants
from preferences.queries.photos.trainings import trainings as every_training
from preferences.services.photos.photos import Listed, MayPublish, photo_check, photo_list
from preferences.services.photos.trainings import (
    Told,
    add_participants,
    add_training,
    correct_notices,
    find_training,
    notify_participants,
    remove_participants,
)

trainings = AppGroup("trainings", help="Trainings at which photos are taken, and who may be published.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_HEAD = (
    *(
        "id",
        "name",
        "company",
        "name_may_be_shown",
        "name_why",
        "name_since",
        "image_may_be_shown",
        "image_why",
        "image_since",
    ),
    *("advertising_allowed", "advertising_why", "advertising_since"),
)


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
            "participants": one.participants,
            "notified": one.notified,
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        where = f", {row['place']}" if row["place"] else ""
        told = f"{row['notified']} of {row['participants']} told"
        click.echo(f"{row['id']}  {row['held_on']}  {row['title']}{where}  ({told})")
    if not rows:
        click.echo("No trainings yet: flask --app app trainings add TITLE --on YYYY-MM-DD")


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
        click.echo(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        told = f"told {one.notified_at:%Y-%m-%d}" if one.notified_at else "not told"
        click.echo(f"{format_recipient_id(one.recipient_id)}  {_name(one)}  ({told})")
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


@trainings.command("photo-list")
@click.argument("number", type=int)
@click.option(
    "--csv", "csv_path", type=click.Path(dir_okay=False, path_type=Path), help="Write it as CSV to this file."
)
@_JSON
def list_photos(number: int, csv_path: Path | None, as_json: bool) -> None:
    """Who of a training may be published, by name and by image, and why not: the list for the photographer."""
    now = datetime.now(UTC)
    with reading() as session:
        found = photo_list(session, number, at=now, asked_at=now)
    if csv_path is not None:
        with csv_path.open("wb") as file:
            file.writelines(write_csv([_HEAD, *(_cells(one) for one in found)]))
    if as_json:
        rows = [{**_as_json(one.person), "may": _decisions(one.may)} for one in found]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{_name(one.person)}: {_in_words(one.may)}")
    click.echo(f"{len(found)} on the list. Ask again just before publishing.", err=True)


@trainings.command("photo-check")
@click.argument("who", metavar="ADDRESS|ID...", nargs=-1, required=True)
@click.option("--training", default=EVERY_TRAINING, help="The number of the training that it is from.")
@_JSON
def check_photos(who: Sequence[str], training: int, as_json: bool) -> None:
    """Whether these people may be published, by name and by image. Ends with status 1 when anything is refused to anybody."""
    now = datetime.now(UTC)
    with reading() as session:
        found = photo_check(session, who, at=now, asked_at=now, training_id=training)
    if as_json:
        rows = [{"recipient": name, "may": _decisions(may)} for name, may in zip(who, found, strict=True)]
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for name, may in zip(who, found, strict=True):
            click.echo(f"{name}: {_in_words(may)}")
    if not all(isinstance(one, Allowed) for may in found for one in (may.name, may.image)):
        raise SystemExit(1)


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


def _name(one: Participant) -> str:
    if one.name is None and one.address is None:
        return "(erased)"
    return ", ".join(part for part in (one.name or one.address, one.company) if part)


def _as_json(one: Participant) -> dict[str, Any]:
    return {
        "id": format_recipient_id(one.recipient_id),
        "name": one.name,
        "company": one.company,
        "email": one.address,
        "notified_at": one.notified_at.isoformat(timespec="seconds") if one.notified_at else None,
    }


def _decisions(may: MayPublish) -> dict[str, Any]:
    return {name: _decision(getattr(may, name)) for name in ("name", "image", "marketing")}


def _decision(one: Decision) -> dict[str, Any]:
    return {"allowed": isinstance(one, Allowed), "reason": one.reason.value, "since": _since(one)}


def _since(one: Decision) -> str | None:
    return one.since.isoformat(timespec="seconds") if one.since else None


def _cells(one: Listed) -> list[str | None]:
    decisions = (one.may.name, one.may.image, one.may.marketing)
    told = [("yes" if isinstance(may, Allowed) else "no", may.reason.value, _since(may)) for may in decisions]
    return [
        format_recipient_id(one.person.recipient_id),
        one.person.name or one.person.address or "(erased)",
        one.person.company,
        *(cell for three in told for cell in three),
    ]


def _in_words(may: MayPublish) -> str:
    parts = (("name", may.name), ("image", may.image), ("advertising", may.marketing))
    return ", ".join(
        f"{what} yes" if isinstance(one, Allowed) else f"{what} NO ({one.reason.value})" for what, one in parts
    )
