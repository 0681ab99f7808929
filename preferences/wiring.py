"""Connects an application to its database, keys, languages, limits and blueprints; create_app() reads like a list of these."""

from __future__ import annotations

import logging
import sys

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from preferences.config import Settings
from preferences.domain.capability import LinkSigner
from preferences.domain.errors import ConfigurationError
from preferences.extensions import alembic, babel, db, limiter
from preferences.models.crypto import Keyring, use_keyring
from preferences.models.transaction import prepare_engine

CONNECTS_WITHIN_SECONDS = 10
"""A PostgreSQL that does not even answer is a 503, soon, and not a server whose threads all wait."""


def register_logging(app: Flask, settings: Settings) -> None:
    """Structured lines on standard error: event names and ids, never an address, a token or a path that holds one."""
    from preferences.web.logs import frames_without_words, is_no_request_line

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            frames_without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("werkzeug").addFilter(is_no_request_line)


def connect_database(app: Flask, settings: Settings) -> None:
    """Bind SQLAlchemy and the migrations; encrypted columns get their keys here."""
    use_keyring(Keyring(settings.data_keys, settings.index_key))
    if settings.database_url.startswith("sqlite"):
        settings.instance_path.mkdir(parents=True, exist_ok=True, mode=0o700)
        options: dict[str, object] = {}
    else:
        options = {"pool_size": max(5, settings.server_threads + 2), "max_overflow": 10, "pool_pre_ping": False}
        options["connect_args"] = {"connect_timeout": CONNECTS_WITHIN_SECONDS}
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={**options, "hide_parameters": True},
        ALEMBIC={"script_location": "migrations", "version_locations": []},
        ALEMBIC_CONTEXT={"render_as_batch": True, "compare_type": True},
    )
    db.init_app(app)
    alembic.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


def register_signing(app: Flask, settings: Settings) -> None:
    """The one signer of links."""
    app.extensions["preferences.signer"] = LinkSigner(settings.link_keys)


def register_mail(app: Flask, settings: Settings) -> None:
    """How mail leaves, and what mail templates can use."""
    from preferences.integrations.mail_text import register_mail_filters
    from preferences.integrations.transport import register_mail as bind_transport
    from preferences.web.theme import dark_scheme, light_scheme

    bind_transport(app, settings)
    register_mail_filters(app)
    colours = {"light": light_scheme(settings.accent_colour), "dark": dark_scheme(settings.accent_colour)}
    app.jinja_env.globals.update(mail_colours=colours)


def register_languages(app: Flask, settings: Settings) -> None:
    """Catalogues, and which language a request speaks."""
    from babel.dates import get_timezone

    from preferences.web.locale import folders_of_words, request_locale

    try:
        get_timezone(settings.time_zone)
    except LookupError:
        raise ConfigurationError(
            "PREFERENCES_TIME_ZONE", "is not a time zone; an example is Europe/Stockholm"
        ) from None
    app.config.update(
        BABEL_DEFAULT_LOCALE=settings.default_locale,
        BABEL_DEFAULT_TIMEZONE=settings.time_zone,
        BABEL_TRANSLATION_DIRECTORIES=";".join(folders_of_words(app.root_path, settings)),
    )
    babel.init_app(app, locale_selector=request_locale)


def register_limits(app: Flask, settings: Settings) -> None:
    """Rate limits; never on one-click (T27)."""
    app.config.update(RATELIMIT_STORAGE_URI=settings.rate_limit_storage, RATELIMIT_SWALLOW_ERRORS=True)
    limiter.init_app(app)
    # Every limit is a view's own and is kept by its decorator. What the extension would run around every other request has
    # nothing to do there, and costs a one-click a tenth of its time.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
    app.after_request_funcs[None].pop()


def register_security(app: Flask, settings: Settings) -> None:
    """Headers on every answer, proxies trusted by number, access declared by every view."""
    from preferences.web.access import deny_undeclared
    from preferences.web.security import add_security_headers
    from preferences.web.session import register_step_up

    if settings.trusted_proxies:
        proxies = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    app.before_request(deny_undeclared)
    register_step_up(app)
    app.after_request(add_security_headers)


def register_errors(app: Flask) -> None:
    """One error family, mapped to pages and to problem details."""
    from preferences.web.errors import register_error_handlers

    register_error_handlers(app)


def register_blueprints(app: Flask, settings: Settings) -> None:
    """Every edge that answers HTTP."""
    from preferences.web import local
    from preferences.web.admin import register_admin
    from preferences.web.api import register_api
    from preferences.web.health import register_health
    from preferences.web.inbound import blueprint as inbound
    from preferences.web.pages import register_pages
    from preferences.web.recipient import blueprint as recipient
    from preferences.web.seals import blueprint as seals

    register_pages(app, settings)
    register_health(app, settings)
    app.register_blueprint(recipient)
    app.register_blueprint(seals)
    app.register_blueprint(inbound)
    register_api(app)
    register_admin(app)
    if local.belongs_here(settings):
        app.register_blueprint(local.blueprint)


def register_commands(app: Flask) -> None:
    """Every family of commands."""
    from preferences.cli import register

    register(app)
