"""`flask setup`: bring the database to the newest schema and put the built-in purposes in. Safe to repeat."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask import current_app
from flask.cli import with_appcontext

from preferences.extensions import alembic
from preferences.models.transaction import transaction
from preferences.services.outbox.feed_order import keep_feed_order
from preferences.services.purposes.builtin_purposes import ensure_builtin_purposes


@click.command("setup")
@with_appcontext
def setup() -> None:
    """Migrate the database and add the built-in purposes."""
    prepare_database()
    click.echo("The database is ready.")


def prepare_database() -> None:
    """Upgrade the schema and add what every installation has. Needs an application context.

    The upgrade gets a context of its own: its connection is closed with it, and SQLite has one writer.
    """
    with current_app.app_context():
        alembic.upgrade()
    with transaction() as session:
        ensure_builtin_purposes(session, now=datetime.now(UTC))
        keep_feed_order(session)
