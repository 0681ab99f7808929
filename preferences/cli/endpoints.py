"""`flask endpoints`: where mailers hear of changes by webhook. A secret is printed once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from preferences.domain.errors import NotFound
from preferences.domain.events import EventType
from preferences.domain.webhooks import DisabledReason, EndpointState, PayloadKind, SignatureScheme, message_id
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.endpoints import EndpointView, attempts_of, endpoint_by_id, endpoints_of, waiting_count
from preferences.queries.mailers.mailers import mailer_by_key, mailers
from preferences.services.webhooks.endpoints import (
    EndpointChange,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from preferences.services.webhooks.replay import Range, replay, send_test

endpoints = AppGroup("endpoints", help="Webhooks: the endpoints of mailers, what was tried, replay.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@endpoints.command("add")
@click.argument("mailer")
@click.argument("url")
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice([one.value for one in EventType]),
    help="A type of change; repeat it. All.",
)
@click.option("--addresses", is_flag=True, help="Tell the email address too, not only the recipient's id.")
@click.option("--ed25519", is_flag=True, help="Sign with Ed25519 (v1a) and print the public key.")
@click.option("--description", default="", help="Your own words.")
@_JSON
def add(
    mailer: str, url: str, types: Sequence[str], addresses: bool, ed25519: bool, description: str, as_json: bool
) -> None:
    """Add an endpoint for a mailer, named by its short name, and print what verifies its messages."""
    payload = PayloadKind.ADDRESSES if addresses else PayloadKind.THIN
    scheme = SignatureScheme.V1A if ed25519 else SignatureScheme.V1
    rules = current_app.extensions["preferences.settings"].webhook_urls
    with transaction() as session:
        owner = mailer_by_key(session, mailer)
        if owner is None or owner.archived_at is not None:
            raise NotFound(f"There is no mailer named {mailer[:64]!r}.")
        chosen = [EventType(one) for one in types] or None
        new = EndpointChange(url=url, types=chosen, description=description[:200], payload=payload)
        made, secret = add_endpoint(session, owner.id, new, scheme, rules=rules, now=datetime.now(UTC))
        row = _as_json(session, made, mailer)
    _print_secret({**row, "secret": secret.text}, as_json=as_json, what=f"Endpoint {made.id}")


@endpoints.command("list")
@_JSON
def list_endpoints(as_json: bool) -> None:
    """Every endpoint: its mailer, state, how much waits, since when it fails, and its host."""
    with reading() as session:
        names = {one.id: one.key for one in mailers(session)}
        rows = [_as_json(session, one, names[one.mailer_id]) for one in endpoints_of(session)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        why = f" ({row['disabled_reason']})" if row["disabled_reason"] else ""
        failing = f"  failing since {row['failing_since']}" if row["failing_since"] else ""
        click.echo(
            f"{row['id']}  {row['mailer']}  {row['state']}{why}  {row['waiting']} waiting{failing}  {row['url']}"
        )
    if not rows:
        click.echo("No endpoints yet: flask --app app endpoints add MAILER URL")


@endpoints.command("attempts")
@click.argument("number", type=int)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
@_JSON
def attempts(number: int, limit: int, as_json: bool) -> None:
    """What was tried with an endpoint, newest first."""
    with reading() as session:
        found = attempts_of(session, _existing(session, number).id, limit=limit)
    rows = [
        {
            "message": message_id(one.event_id, one.delivery_id),
            "number": one.number,
            "attempted_at": one.attempted_at.isoformat(),
            "code": one.code.value,
            "status": one.status,
            "latency_ms": one.latency_ms,
            "excerpt": one.excerpt,
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo("{attempted_at}  {message}  #{number}  {code}  {status}  {latency_ms} ms".format(**row))
    if not rows:
        click.echo("Nothing was tried yet.")


@endpoints.command("test")
@click.argument("number", type=int)
@_JSON
def test(number: int, as_json: bool) -> None:
    """Queue a test message; `endpoints attempts` says what came of it once a worker has sent it."""
    with transaction() as session:
        message = send_test(session, _existing(session, number), now=datetime.now(UTC))
    click.echo(json.dumps({"message": message}) if as_json else f"{message} is on its way.")


@endpoints.command("rotate")
@click.argument("number", type=int)
@click.option(
    "--hours", default=24, show_default=True, type=click.IntRange(0, 168), help="How long the old secret signs too."
)
@_JSON
def rotate(number: int, hours: int, as_json: bool) -> None:
    """Print a new secret; the old one goes on signing beside it for a while."""
    with transaction() as session:
        found = _existing(session, number)
        fresh = rotate_secret(session, found, now=datetime.now(UTC), overlap=timedelta(hours=hours))
    ends = fresh.previous_ends_at and fresh.previous_ends_at.isoformat()
    _print_secret(
        {"id": number, "secret": fresh.text, "previous_ends_at": ends}, as_json=as_json, what=f"Endpoint {number}"
    )


@endpoints.command("replay")
@click.argument("number", type=int)
@click.option("--event", type=click.IntRange(1), help="Only this change.")
@click.option("--after", type=click.IntRange(0), help="The changes after this id.")
@click.option("--since", type=_MOMENT, help="The changes recorded since then, UTC: 2026-05-01 or 2026-05-01T12:00:00.")
@_JSON
def replay_changes(number: int, event: int | None, after: int | None, since: datetime | None, as_json: bool) -> None:
    """Send changes again under the ids they had; without an option, those recorded since the endpoint was added."""
    now = datetime.now(UTC)
    queued = 0
    with reading() as session:
        begin = _existing(session, number).created_at
    if event is None and after is None and since is None:
        since = begin
    asked = Range(event=event, after=after, since=since and since.replace(tzinfo=UTC))
    while True:
        with transaction() as session:
            done = replay(session, _existing(session, number), asked, now=now)
        queued += done.queued
        if not done.more:
            break
        asked = Range(after=done.last_event, since=asked.since)
    click.echo(json.dumps({"queued": queued}) if as_json else f"{queued} changes are on their way.")


@endpoints.command("disable")
@click.argument("number", type=int)
def disable(number: int) -> None:
    """Stop calling an endpoint; what waits for it goes on waiting."""
    with transaction() as session:
        disable_endpoint(session, _existing(session, number).id, DisabledReason.OPERATOR, now=datetime.now(UTC))
    click.echo(f"Endpoint {number} is no longer called.")


@endpoints.command("enable")
@click.argument("number", type=int)
def enable(number: int) -> None:
    """Call an endpoint again; what was waiting is sent now."""
    with transaction() as session:
        found = _existing(session, number)
        if found.state is EndpointState.DISABLED:
            enable_endpoint(session, found.id, now=datetime.now(UTC))
    click.echo(f"Endpoint {number} is called.")


@endpoints.command("remove")
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Forget an endpoint, what waits for it and what was tried."""
    with transaction() as session:
        remove_endpoint(session, _existing(session, number).id)
    click.echo(f"Endpoint {number} is no more.")


def _existing(session: Session, number: int) -> EndpointView:
    found = endpoint_by_id(session, number)
    if found is None:
        raise NotFound(f"There is no endpoint {number}.")
    return found


def _as_json(session: Session, one: EndpointView, mailer: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "mailer": mailer,
        "url": one.url,
        "description": one.description,
        "types": [kind.value for kind in one.types],
        "payload": one.payload.value,
        "scheme": one.scheme.value,
        "state": one.state.value,
        "disabled_reason": one.disabled_reason and one.disabled_reason.value,
        "failing_since": one.failing_since and one.failing_since.isoformat(),
        "waiting": waiting_count(session, one.id),
    }


def _print_secret(row: dict[str, Any], *, as_json: bool, what: str) -> None:
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
        return
    click.echo(row["secret"])
    click.echo(f"{what}: this is shown once; the mailer verifies messages with it.", err=True)
