"""`flask forms`: sign-up forms, and their HTML for another site. See docs/sign-up.md."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import click
from flask import current_app, render_template
from flask.cli import AppGroup
from flask_babel import force_locale

from preferences.config import Settings
from preferences.domain.errors import InvalidValue
from preferences.domain.sign_up import SignUpForm
from preferences.models.transaction import reading, transaction
from preferences.services.sign_up.embed import embed_words, form_address
from preferences.services.sign_up.forms import add_form, all_forms, archive_form, find_form

forms = AppGroup("forms", help="Sign-up forms, hosted and embedded.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_HEADING = re.compile(r"(?P<locale>[A-Za-z_]{2,16})=(?P<text>.+)", re.DOTALL)


@forms.command("list")
@click.option("--archived", is_flag=True, help="List archived ones too.")
@_as_json
def list_forms(archived: bool, as_json: bool) -> None:
    """List the forms with their addresses and what they offer."""
    with reading() as session:
        shown = [one for one in all_forms(session) if archived or one.archived_at is None]
    if as_json:
        click.echo(json.dumps([_described(one) for one in shown], ensure_ascii=False))
        return
    for one in shown:
        closed = f"  archived {one.archived_at:%Y-%m-%d}" if one.archived_at else ""
        click.echo(f"{one.key:<20} {_address(one)}  {', '.join(one.purpose_keys)}{closed}")


@forms.command("add")
@click.argument("key")
@click.option("--purpose", "purposes", multiple=True, required=True, help="Key of a purpose or topic; repeat it.")
@click.option(
    "--heading", "headings", multiple=True, required=True, help="LANGUAGE=TEXT; repeat it for every language."
)
@_as_json
def add(key: str, purposes: tuple[str, ...], headings: tuple[str, ...], as_json: bool) -> None:
    """Add the form KEY, at `/subscribe/KEY`. It offers mail that rests on consent, one unticked box for each purpose."""
    texts = _headings(headings)
    missing = [locale for locale in _settings().locales if locale not in texts]
    if missing:
        raise InvalidValue(f"There is no heading in {', '.join(missing)} (PREFERENCES_LOCALES).", pointer="/headings")
    with transaction() as session:
        form = add_form(session, key, headings=texts, purpose_keys=purposes, now=datetime.now(UTC))
    click.echo(json.dumps(_described(form), ensure_ascii=False) if as_json else f"{key} added: {_address(form)}")


@forms.command("archive")
@click.argument("key")
@_as_json
def archive(key: str, as_json: bool) -> None:
    """Close the form KEY. Mail that is under way can still be confirmed, and nobody's consent changes."""
    with transaction() as session:
        archive_form(session, key, now=datetime.now(UTC))
    click.echo(json.dumps({"key": key, "archived": True}) if as_json else f"{key} archived.")


@forms.command("embed")
@click.argument("key")
@click.option("--language", help="Language of the form; the default language of the service when left out.")
def embed(key: str, language: str | None) -> None:
    """Print the form KEY as plain HTML to paste into another site: no script, no cookie, nothing loaded."""
    settings = _settings()
    locale = language or settings.default_locale
    if locale not in settings.locales:
        raise InvalidValue(f"{locale[:16]} is not in PREFERENCES_LOCALES ({', '.join(settings.locales)}).")
    with reading() as session:
        shown = embed_words(session, find_form(session, key), locale, settings)
    with force_locale(locale):
        html = render_template("recipient/subscribe_embed.html", **shown)
    click.echo(html)


def _headings(given: tuple[str, ...]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for one in given:
        found = _HEADING.fullmatch(one)
        if found is None or found["locale"] in texts:
            raise InvalidValue("A heading is LANGUAGE=TEXT, each language once.", pointer="/headings")
        texts[found["locale"]] = found["text"]
    return texts


def _described(form: SignUpForm) -> dict[str, object]:
    return {
        "key": form.key,
        "url": _address(form),
        "headings": dict(form.headings),
        "purposes": list(form.purpose_keys),
        "archived_at": form.archived_at.isoformat() if form.archived_at else None,
    }


def _address(form: SignUpForm) -> str:
    return form_address(form, _settings())


def _settings() -> Settings:
    settings: Settings = current_app.extensions["preferences.settings"]
    return settings
