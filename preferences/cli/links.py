"""`flask links mint`: the links and headers of a message for one or a few recipients, as the API gives them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.capability import LinkSigner
from preferences.domain.recipient_id import format_recipient_id
from preferences.integrations.list_headers import list_headers, list_id_of
from preferences.models.transaction import reading
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.recipients.links import SENTENCES, LinkMinter, LinkSet, NoLink, purpose_to_mail

links = AppGroup("links", help="Signed links of recipients.")


@links.command("mint")
@click.argument("who", metavar="ADDRESS|ID...", nargs=-1, required=True)
@click.option(
    "--purpose", default="marketing", show_default=True, help="Key of the purpose or topic the mail belongs to."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def mint(who: Sequence[str], purpose: str, as_json: bool) -> None:
    """Print each recipient's links, and the headers to set. Whoever holds such a link can opt this person out."""
    settings = cast(Settings, current_app.extensions["preferences.settings"])
    links_of_this_service = MailLinks(
        signer=cast(LinkSigner, current_app.extensions["preferences.signer"]),
        base_url=settings.base_url,
        list_domain=settings.list_domain or settings.base_host,
        mail_domain=settings.unsubscribe_mail_domain,
    )
    with reading() as session:
        minter = LinkMinter(links=links_of_this_service, purpose=purpose_to_mail(session, purpose))
        minted = minter.mint(session, who, now=datetime.now(UTC))
    found = [_result(one, minter, settings) for one in minted]
    if as_json:
        click.echo(json.dumps([{"recipient": asked, **one} for asked, one in zip(who, found, strict=True)]))
    else:
        _print(found)
    wrong = [SENTENCES[one] for one in minted if isinstance(one, NoLink)]
    if wrong:
        raise click.ClickException(f"{len(wrong)} of {len(who)} without links: {wrong[0]}")


def _result(minted: LinkSet | NoLink, minter: LinkMinter, settings: Settings) -> dict[str, Any]:
    if isinstance(minted, NoLink):
        return {"error": minted.value}
    return {
        "id": format_recipient_id(minted.recipient_id),
        "unsubscribe_url": minted.unsubscribe_url,
        "preferences_url": minted.preferences_url,
        "headers": list_headers(
            unsubscribe_url=minted.unsubscribe_url,
            mailto=minted.mailto,
            list_id=list_id_of(minter.purpose.key, minter.links.list_domain),
            env=settings.env,
        ),
    }


def _print(found: Sequence[dict[str, Any]]) -> None:
    for one in found:
        if "error" in one:
            continue
        click.echo(f"unsubscribe: {one['unsubscribe_url']}")
        click.echo(f"preferences: {one['preferences_url']}")
        for name, value in one["headers"].items():
            click.echo(f"{name}: {value}")
