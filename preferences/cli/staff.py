"""`flask staff`: who may sign in to the admin pages. The first person gets a link here; everybody else can be invited there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import cast

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.roles import Role
from preferences.domain.staff import INVITATION_LASTS
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.staff import StaffView, all_staff
from preferences.services.staff.invitations import PATH, make_invitation
from preferences.services.staff.staff import (
    NewStaff,
    create_staff,
    disable_staff,
    enable_staff,
    reset_second_factor,
    staff_by_address,
)

staff = AppGroup("staff", help="The people who sign in to the admin pages.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@staff.command("create")
@click.argument("address")
@click.option("--name", required=True, help="Their name, as the pages show it.")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What they may do; docs/admin.md says what each means.",
)
@click.option("--language", help="Language of their pages; the default language of the service when left out.")
@_JSON
def create(address: str, name: str, role: str, language: str | None, as_json: bool) -> None:
    """Add somebody and print a link that lets them choose a password, once, within a week."""
    settings = _settings()
    if language is not None and language not in settings.locales:
        raise click.ClickException(f"--language must be one of {', '.join(settings.locales)}.")
    new = NewStaff(address=address, name=name, role=Role(role), locale=language or settings.default_locale)
    now = datetime.now(UTC)
    with transaction() as session:
        secret = make_invitation(session, create_staff(session, new, by=None, now=now), by=None, now=now)
    _print_link(secret, now, as_json=as_json)


@staff.command("invite")
@click.argument("address")
@_JSON
def invite(address: str, as_json: bool) -> None:
    """Print a fresh link for somebody who has forgotten the password or whose link has expired."""
    now = datetime.now(UTC)
    with transaction() as session:
        secret = make_invitation(session, staff_by_address(session, address), by=None, now=now)
    _print_link(secret, now, as_json=as_json)


@staff.command("list")
@_JSON
def list_staff(as_json: bool) -> None:
    """Everybody, with role, state and when they last signed in."""
    with reading() as session:
        found = all_staff(session)
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found]))
        return
    if not found:
        click.echo("Nobody yet: flask --app app staff create ADDRESS --name … --role administrator")
    for one in found:
        last = f"{one.signed_in_at:%Y-%m-%d %H:%M} UTC" if one.signed_in_at else "never"
        click.echo(f"{one.address}  {one.name}  {one.role}  {one.state}  {_factors(one)}  last signed in: {last}")


@staff.command("disable")
@click.argument("address")
def disable(address: str) -> None:
    """Keep somebody out from this moment on. What they did stays in the audit."""
    with transaction() as session:
        disable_staff(session, staff_by_address(session, address).id, by=None, now=datetime.now(UTC))
    click.echo("Disabled, and signed out everywhere.")


@staff.command("enable")
@click.argument("address")
def enable(address: str) -> None:
    """Let somebody sign in again, with the password, app and passkeys they had."""
    with transaction() as session:
        enable_staff(session, staff_by_address(session, address).id, by=None, now=datetime.now(UTC))
    click.echo("Enabled.")


@staff.command("reset-second-factor")
@click.argument("address")
def reset(address: str) -> None:
    """Forget somebody's app, passkeys and recovery codes; they enrol anew at the next sign-in."""
    with transaction() as session:
        reset_second_factor(session, staff_by_address(session, address).id, by=None, now=datetime.now(UTC))
    click.echo("Reset, and signed out everywhere. The next sign-in enrols a new app or passkey.")


def _print_link(secret: str, now: datetime, *, as_json: bool) -> None:
    link = f"{_settings().base_url}{PATH}/{secret}"
    if as_json:
        click.echo(json.dumps({"link": link, "expires_at": (now + INVITATION_LASTS).isoformat()}))
        return
    click.echo(link)
    click.echo("The link works once, within seven days. Whoever opens it chooses the password.", err=True)


def _factors(one: StaffView) -> str:
    passkeys = f"{one.passkeys} passkey{'' if one.passkeys == 1 else 's'}" if one.passkeys else ""
    return ", ".join(part for part in ("app" if one.has_app else "", passkeys) if part) or "no second factor"


def _as_json(one: StaffView) -> dict[str, object]:
    return {
        "id": one.id,
        "address": one.address,
        "name": one.name,
        "role": one.role.value,
        "state": one.state.value,
        "has_app": one.has_app,
        "passkeys": one.passkeys,
        "signed_in_at": one.signed_in_at.isoformat() if one.signed_in_at else None,
    }


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["preferences.settings"])
