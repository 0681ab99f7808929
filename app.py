"""The table of contents of the service: `flask --app app …` and the server start here; `python app.py` runs everything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from preferences.cli.one_line import Misconfigured
from preferences.config import Settings
from preferences.domain.errors import ConfigurationError
from preferences.instance import with_instance_keys
from preferences.read_settings import read_settings
from preferences.web.application import Service
from preferences.wiring import (
    connect_database,
    register_blueprints,
    register_commands,
    register_errors,
    register_languages,
    register_limits,
    register_logging,
    register_mail,
    register_security,
    register_signing,
)

ROOT = Path(__file__).resolve().parent


def create_app(environ: Mapping[str, str] | None = None, *, instance_path: Path | None = None) -> Flask:
    """Build the service from environment variables. Raises ConfigurationError naming the first unsafe or missing setting."""
    environ = os.environ if environ is None else environ
    folder = instance_path or Path(environ.get("PREFERENCES_INSTANCE_PATH") or ROOT / "instance")
    try:
        settings = with_instance_keys(read_settings(environ, instance_path=folder))
    except ConfigurationError as error:
        raise Misconfigured(error.setting, error.why) from None
    app = Service("preferences", root_path=str(ROOT), instance_path=str(folder))
    configure(app, settings)
    register_logging(app, settings)
    connect_database(app, settings)
    register_signing(app, settings)
    register_languages(app, settings)
    register_mail(app, settings)
    register_limits(app, settings)
    register_security(app, settings)
    register_errors(app)
    register_blueprints(app, settings)
    register_commands(app)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """What Flask itself needs to know; everything else asks `preferences.web.plumbing.settings()`."""
    app.extensions["preferences.settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_keys[-1],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[:-1]),
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        TESTING=settings.env == "testing",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https:"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )


def served_app() -> Flask:
    """The service in a process of the server, which finds it by this name; it ends with the process that started it."""
    from preferences.cli.serve import follow_parent, settle_memory

    follow_parent()
    service = create_app()
    settle_memory()
    return service


if __name__ == "__main__":
    try:
        service = create_app()
    except ConfigurationError as error:
        raise SystemExit(f"Error: {error.detail}") from None
    from preferences.cli.serve import run_everything

    raise SystemExit(run_everything(service, served="app:served_app"))
