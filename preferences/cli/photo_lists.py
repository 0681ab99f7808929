"""`flask trainings photo-list` and `photo-check`: who may be published, for the photographer and just before publishing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from preferences.domain.eligibility import Allowed, Decision
from preferences.domain.recipient_id import format_recipient_id
from preferences.integrations.csv_files import write_csv
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.transaction import reading
from preferences.services.photos.photos import Listed, MayPublish, photo_check, photo_list
from preferences.services.photos.trainings import find_training

from .trainings import name_of, person_as_json

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


@click.command("photo-list")
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
        is_cancelled = find_training(session, number).cancelled_at is not None
    if csv_path is not None:
        with csv_path.open("wb") as file:
            file.writelines(write_csv([_HEAD, *(_cells(one) for one in found)]))
    if as_json:
        rows = [{**person_as_json(one.person), "may": _decisions(one.may)} for one in found]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{name_of(one.person)}: {_in_words(one.may)}")
    if is_cancelled:
        click.echo(
            "The training is cancelled: no photos are taken there. The answers stay, for pictures from before.",
            err=True,
        )
    click.echo(f"{len(found)} on the list. Ask again just before publishing.", err=True)


@click.command("photo-check")
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
