"""`flask policy`: versions of the privacy policy, and the mailing about a major one. See docs/policy.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.policy import Weight
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.policy import announcement, policy_versions
from preferences.services.policy.policy import (
    UnknownPolicyVersion,
    begin_announcement,
    pause_announcement,
    publish_policy,
    resume_announcement,
)
from preferences.services.policy.policy_files import MAX_BYTES, read_policy

policy = AppGroup("policy", help="The privacy policy: publish a version, tell people of it.")
_number = click.argument("number", type=int)


@policy.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--major", is_flag=True, help="An important change: people must be told by email.")
def publish(file: Path, major: bool) -> None:
    """Publish the texts of FILE (TOML) as the next version."""
    settings: Settings = current_app.extensions["preferences.settings"]
    with file.open("rb") as opened:
        texts = read_policy(file.name, opened.read(MAX_BYTES + 1))
    weight = Weight.MAJOR if major else Weight.MINOR
    with transaction() as session:
        number = publish_policy(session, texts, weight, wanted=settings.locales, now=datetime.now(UTC))
    click.echo(f"Version {number} published." + (f" Next: policy announce {number}" if major else ""))


@policy.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_versions(as_json: bool) -> None:
    """Every version, newest first."""
    with reading() as session:
        found = policy_versions(session)
    if as_json:
        rows = [
            {
                "number": one.number,
                "weight": one.weight.value,
                "published_at": one.published_at.isoformat(timespec="seconds"),
                "locales": sorted(one.texts),
            }
            for one in found
        ]
        click.echo(json.dumps(rows))
        return
    for one in found:
        click.echo(f"{one.number}  {one.published_at:%Y-%m-%d}  {one.weight.value}  {'+'.join(sorted(one.texts))}")
    if not found:
        click.echo("None is published; /policy shows the words that come with the product.")


@policy.command("announce")
@_number
def announce(number: int) -> None:
    """Tell everyone reachable of version NUMBER; the worker does it in portions."""
    with transaction() as session:
        begin_announcement(session, number, now=datetime.now(UTC))
    click.echo(f"Version {number} is being announced. How far: policy progress {number}")


@policy.command("pause")
@_number
def pause(number: int) -> None:
    """Take up nobody more; what is queued still goes out."""
    with transaction() as session:
        pause_announcement(session, number, now=datetime.now(UTC))
    click.echo(f"The announcement of version {number} is paused.")


@policy.command("resume")
@_number
def resume(number: int) -> None:
    """Go on where it was paused."""
    with transaction() as session:
        resume_announcement(session, number)
    click.echo(f"The announcement of version {number} goes on.")


@policy.command("progress")
@_number
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def progress(number: int, as_json: bool) -> None:
    """How many people it has come to, of how many, and what became of the mails."""
    with reading() as session:
        found = announcement(session, number)
    if found is None:
        raise UnknownPolicyVersion(f"Version {number} is not announced.")
    state = "finished" if found.finished_at else "paused" if found.paused_at else "running"
    if as_json:
        click.echo(json.dumps({"state": state, "people": found.queued, "of": found.total, **found.outcomes}))
        return
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.outcomes.items())) or "nobody yet"
    click.echo(f"{state}: {found.queued} of {found.total} people; {told}.")
