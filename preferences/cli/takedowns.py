"""`flask takedowns`: what people want removed, followed to its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup

from preferences.domain.photo import TakedownState
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.takedowns import Takedown, all_takedowns, open_takedowns
from preferences.services.photos.takedown import close_takedown, start_takedown

takedowns = AppGroup("takedowns", help="Something published that a person wants removed.")

_ANSWER = click.option(
    "--answer", required=True, help="What was removed, or why not; the person gets it by email, as written."
)


@takedowns.command("list")
@click.option("--all", "with_closed", is_flag=True, help="List those that are done or refused too.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_takedowns(with_closed: bool, as_json: bool) -> None:
    """What waits for us, oldest first: reference, state, what shall go, where."""
    with reading() as session:
        found = all_takedowns(session) if with_closed else open_takedowns(session)
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(
            f"{one.reference}  {one.requested_at:%Y-%m-%d}  {one.state.value}  {one.what.value}  {one.url or '-'}"
        )
        if one.training is not None:
            click.echo(f"    training {one.training.id}: {one.training.title}, {one.training.held_on}")
        for line in (one.note or "").splitlines():
            click.echo(f"    {line}")
    if not found:
        click.echo("Nothing waits.")


@takedowns.command("start")
@click.argument("reference")
def start(reference: str) -> None:
    """Say that somebody works on it; the person sees it on their page."""
    with transaction() as session:
        start_takedown(session, reference)
    click.echo(f"{reference} is in progress.")


@takedowns.command("done")
@click.argument("reference")
@_ANSWER
@click.option("--proof", default="", help="How you know that it is gone; kept with the case, and not mailed.")
def done(reference: str, answer: str, proof: str) -> None:
    """Close it as done, and mail the answer to the person."""
    with transaction() as session:
        close_takedown(session, reference, TakedownState.DONE, answer, proof=proof, now=datetime.now(UTC))
    click.echo(f"{reference} is done.")


@takedowns.command("refuse")
@click.argument("reference")
@_ANSWER
def refuse(reference: str, answer: str) -> None:
    """Close it as refused, with the reason, and mail that to the person."""
    with transaction() as session:
        close_takedown(session, reference, TakedownState.REFUSED, answer, now=datetime.now(UTC))
    click.echo(f"{reference} is refused.")


def _as_json(one: Takedown) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "state": one.state.value,
        "what": one.what.value,
        "url": one.url,
        "note": one.note,
        "recipient": format_recipient_id(one.recipient_id),
        "training": one.training.id if one.training else None,
        "requested_at": one.requested_at.isoformat(timespec="seconds"),
        "closed_at": one.closed_at.isoformat(timespec="seconds") if one.closed_at else None,
        "answer": one.answer,
        "assigned_to": one.assigned_to,
        "due_on": one.due_on.isoformat() if one.due_on else None,
        "proof": one.proof,
    }
