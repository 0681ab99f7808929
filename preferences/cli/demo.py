"""`flask demo`: data to look at, a newsletter in the local mailbox, and what to open. Safe to repeat."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import cast

import click
from flask import current_app
from flask.cli import with_appcontext

from preferences.config import Environment, MailTransport, Settings
from preferences.domain.acts import Actor
from preferences.domain.capability import LinkSigner
from preferences.domain.scopes import Scope
from preferences.integrations.csv_mapping import choose_reading
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.mailers import key_by_prefix
from preferences.services.demo.demo import DEMO_MAILER, SHOWN_RECIPIENT, seed_demo, shown_recipient
from preferences.services.demo.staff import demo_token, seed_demo_staff
from preferences.services.imports.imports import dry_run, receive_import
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.webhooks.mailers import KEY_FORM, issue_key, works

from .imports import import_tools
from .setup import prepare_database
from .worker import work_until_idle

KEPT_IN = "demo.json"
PURPOSE = "product_news"


@dataclass(frozen=True, slots=True)
class Demo:
    """What a newcomer opens and tries. `preferences_url` is empty when the shown recipient is gone."""

    preferences_url: str
    mailbox_url: str
    admin_url: str
    api_key: str
    base_url: str
    is_new: bool

    @property
    def curl(self) -> str:
        """A question about eligibility, ready to paste."""
        body = json.dumps({"purpose": PURPOSE, "recipients": [SHOWN_RECIPIENT]})
        return (
            f"curl -s {self.base_url}/api/v1/eligibility -H 'Authorization: Bearer {self.api_key}' "
            f"-H 'Content-Type: application/json' -d '{body}'"
        )

    def lines(self) -> list[str]:
        """Everything above, for a terminal."""
        return [
            f"A recipient's page   {self.preferences_url or '(the shown recipient is gone)'}",
            f"The local mailbox    {self.mailbox_url}",
            f"The admin pages      {self.admin_url}",
            f"A mailer's API key   {self.api_key}",
            f"API documentation    {self.base_url}/api/v1/docs",
            "May this message go?",
            f"  {self.curl}",
        ]


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def demo(as_json: bool) -> None:
    """Fill a development service with Swedish demo data and send a demo newsletter into the local mailbox."""
    prepare_database()
    made = make_demo()
    work_until_idle()
    if as_json:
        found = {
            "preferences_url": made.preferences_url,
            "mailbox_url": made.mailbox_url,
            "admin_url": made.admin_url,
            "api_key": made.api_key,
        }
        click.echo(json.dumps({**found, "is_new": made.is_new}))
        return
    click.echo("Demo data written." if made.is_new else "The demo data was there already.")
    click.echo("\n".join(made.lines()))


def make_demo() -> Demo:
    """Write the demo where it is missing. Raises a ClickException outside development and where mail leaves the machine."""
    settings = cast(Settings, current_app.extensions["preferences.settings"])
    if settings.env is Environment.PRODUCTION:
        raise click.ClickException("Demo data has no place in production (PREFERENCES_ENV=production).")
    if settings.mail_transport is not MailTransport.MAILBOX:
        raise click.ClickException("The demo sends a newsletter; it needs PREFERENCES_MAIL_TRANSPORT=mailbox.")
    now = datetime.now(UTC)
    with transaction() as session:
        seeded = seed_demo(session, now=now)
        seed_demo_staff(session, locale=settings.default_locale, now=now)
    if seeded.recipients:
        _leave_an_import_waiting(settings)
    key = _kept_key(settings.instance_path / KEPT_IN, now)
    with reading() as session:
        person = shown_recipient(session)
        url = _links(settings).preferences_url(person, 0, reference=0, now=now) if person is not None else ""
    return Demo(
        preferences_url=url,
        mailbox_url=f"{settings.base_url}/mailbox",
        admin_url=f"{settings.base_url}/admin/demo/{demo_token(settings.secret_keys[-1])}",
        api_key=key,
        base_url=settings.base_url,
        is_new=seeded.recipients > 0,
    )


def _leave_an_import_waiting(settings: Settings) -> None:
    """A list from a fair, read and not applied: some on it have said no since."""
    stream = io.BytesIO(files("preferences.services.demo").joinpath("fair.csv").read_bytes())
    chosen = choose_reading(stream, None, time_zone=settings.time_zone).as_json()
    tools = import_tools()
    view = receive_import(
        tools, stream, filename="utbildningsmassan.csv", reading=chosen, actor=Actor.SYSTEM, actor_id=None
    )
    dry_run(tools, view.id)


def _kept_key(path: Path, now: datetime) -> str:
    """The demo mailer's key: the one kept beside the database while it works, else a fresh one."""
    try:
        text = str(json.loads(path.read_text())["api_key"])
    except (OSError, ValueError, KeyError, TypeError):
        text = ""
    form = KEY_FORM.fullmatch(text)
    with transaction() as session:
        stored = key_by_prefix(session, form["prefix"]) if form else None
        if stored is not None and works(stored, now):
            return text
        fresh = issue_key(session, DEMO_MAILER, list(Scope), now=now).text
    _write_private(path, json.dumps({"api_key": fresh}))
    return fresh


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    aside.replace(path)


def _links(settings: Settings) -> MailLinks:
    return MailLinks(
        signer=cast(LinkSigner, current_app.extensions["preferences.signer"]),
        base_url=settings.base_url,
        list_domain=settings.list_domain or settings.base_host,
    )
