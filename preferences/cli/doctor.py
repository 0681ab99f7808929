"""`flask doctor`: is a message fit for one-click, and does our link do right by every request?"""

from __future__ import annotations

import json
from typing import IO, Any, cast

import click
from flask import current_app
from flask_babel import force_locale

from preferences.config import Settings
from preferences.domain.capability import LinkSigner
from preferences.integrations.header_doctor import Diagnosis, examine
from preferences.integrations.header_doctor_codes import Severity
from preferences.integrations.header_doctor_words import SENTENCES, finding_as_json
from preferences.integrations.link_rehearsal_words import SHAPES, STATES, VERDICTS, request_as_json
from preferences.integrations.raw_message import MOST_BYTES
from preferences.services.recipients.link_rehearsal import LinkRehearsal, is_our_link, rehearse_link


@click.command("doctor")
@click.argument("message", metavar="FILE|-", type=click.File("rb"), required=False)
@click.option("--url", help="An unsubscribe link of this service to try; the message's own when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def doctor(message: IO[bytes] | None, url: str | None, as_json: bool) -> None:
    """Examine a raw message, and try its link as real clients do. Changes nothing; exits 1 where something is wrong."""
    if message is None and url is None:
        raise click.UsageError("Give a file, - for standard input, or --url.")
    diagnosis = None if message is None else examine(message.read(MOST_BYTES + 1))
    link = _rehearse(diagnosis, url)
    with force_locale("en"):
        if as_json:
            findings = [finding_as_json(one) for one in (diagnosis.findings if diagnosis else ())]
            click.echo(json.dumps({"findings": findings, "link": link and _link_as_json(link)}, ensure_ascii=False))
        else:
            _print(diagnosis, link)
    if (diagnosis is not None and not diagnosis.is_sound) or (link is not None and not link.is_sound):
        raise SystemExit(1)


def _rehearse(diagnosis: Diagnosis | None, url: str | None) -> LinkRehearsal | None:
    settings = cast(Settings, current_app.extensions["preferences.settings"])
    if url is None:
        url = diagnosis.one_click_url if diagnosis else None
        if url is None or not is_our_link(url, settings.base_url):
            return None
    signer = cast(LinkSigner, current_app.extensions["preferences.signer"])
    return rehearse_link(current_app.wsgi_app, url, base_url=settings.base_url, signer=signer)


def _link_as_json(link: LinkRehearsal) -> dict[str, Any]:
    requests = [request_as_json(one.shape, one.came, one.verdict) for one in link.tried]
    return {"state": link.state.value, "requests": requests}


def _print(diagnosis: Diagnosis | None, link: LinkRehearsal | None) -> None:
    if diagnosis is not None:
        for one in diagnosis.findings:
            about = f" ({one.about})" if one.about else ""
            click.echo(f"{one.severity.value}: {SENTENCES[one.code]}{about} [{one.code.value}]")
        errors, warnings = (diagnosis.count(severity) for severity in (Severity.ERROR, Severity.WARNING))
        click.echo(f"{errors} errors, {warnings} warnings.")
    if link is not None:
        click.echo(str(STATES[link.state]))
        for tried in link.tried:
            did = "stopped something" if tried.came.changed else "changed nothing"
            click.echo(f"  {SHAPES[tried.shape]}: {tried.came.status}, {did}: {VERDICTS[tried.verdict]}")
