"""What settings must look like, and what production refuses. Every finding names its setting, never the value."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from preferences.config import Settings
from preferences.domain.address import parse_address, parse_domain
from preferences.domain.errors import InvalidAddress, InvalidValue
from preferences.domain.profile import PROFILE_FIELDS
from preferences.domain.roles import Role
from preferences.domain.single_sign_on import PasswordsFor, read_role_pairs
from preferences.domain.text import is_locale
from preferences.domain.webhook_urls import UrlRules

Problem = tuple[str, str]
"""A setting's name in lower case, and what is wrong with it."""

BETWEEN = {
    "port": (1, 65535),
    "server_workers": (1, 64),
    "server_threads": (1, 256),
    "mail_port": (1, 65535),
    "mail_timeout": (1, 600),
    "trusted_proxies": (0, 10),
    "api_calls_per_minute": (1, 10_000_000),
    "max_body_bytes": (1024, 1024**3),
    "retain_unused_recipients_months": (0, 600),
    "retain_evidence_months": (0, 600),
    "retain_requests_months": (0, 600),
    "retain_takedowns_months": (0, 600),
    "retain_participants_months": (0, 600),
    "metrics_port": (0, 65535),
}
REQUIRED = ("database_url", "base_url", "secret_keys", "link_keys", "data_keys", "index_key", "seal_keys")
KEYS = ("secret_keys", "link_keys", "data_keys", "index_key", "seal_keys")
SAMPLES = ("organisation_name", "organisation_email", "mail_from")
LOCAL_SERVERS = {"localhost", "127.0.0.1", "::1"}
LOG_LEVELS = {"debug", "info", "warning", "error"}


def problems(settings: Settings) -> Iterator[Problem]:
    """What stops the service from starting, the plainest first."""
    yield from _malformed(settings)
    if settings.is_production:
        yield from _unsafe(settings)


def _malformed(settings: Settings) -> Iterator[Problem]:
    for name, (least, most) in BETWEEN.items():
        if not least <= getattr(settings, name) <= most:
            yield name, f"must lie between {least} and {most}"
    for name, (fits, why) in _SHAPES.items():
        value = getattr(settings, name)
        if value != "" and not fits(value):
            yield name, why
    yield from _incomplete_sign_on(settings)
    if settings.default_locale not in settings.locales:
        yield "default_locale", "is not among PREFERENCES_LOCALES"


def _incomplete_sign_on(settings: Settings) -> Iterator[Problem]:
    """Single sign-on is all there or not at all: half of it would look like a door and be none."""
    together = ("oidc_issuer", "oidc_client_id", "oidc_client_secret")
    if any(getattr(settings, name) for name in together):
        for name in together:
            if not getattr(settings, name):
                yield name, f"is missing: {', '.join(f'PREFERENCES_{one.upper()}' for one in together)} go together"
    elif settings.oidc_passwords != "everybody":
        yield "oidc_passwords", "without PREFERENCES_OIDC_ISSUER would keep people out who have no other way in"
    if settings.oidc_new_staff_domains and not settings.oidc_roles:
        yield "oidc_new_staff_domains", "needs PREFERENCES_OIDC_ROLES, which says what somebody new may do"
    if settings.oidc_issuer and _is_issuer(settings.oidc_issuer):
        try:
            UrlRules(settings.oidc_private_hosts, allows_http=not settings.is_production).check(settings.oidc_issuer)
        except InvalidValue:
            yield (
                "oidc_issuer",
                "must be https and public; a host of your own is named in PREFERENCES_OIDC_PRIVATE_HOSTS",
            )


def _unsafe(settings: Settings) -> Iterator[Problem]:
    for name in REQUIRED:
        if not getattr(settings, name):
            how = "; make it with `python -m preferences.cli.keys generate`" if name in KEYS else ""
            yield name, f"is required in production{how}"
    if not settings.base_url.startswith("https://"):
        yield "base_url", "must be https in production: one-click needs it (RFC 8058)"
    if settings.mail_transport == "mailbox":
        yield "mail_transport", "must be smtp in production: the local mailbox is readable by anyone"
    if settings.mail_security == "none" and settings.mail_server not in LOCAL_SERVERS:
        yield "mail_security", "must be starttls or tls unless the mail server is on this machine"
    for name in SAMPLES:
        if getattr(settings, name) == type(settings).__dataclass_fields__[name].default:
            yield name, "is still the sample; people must see who writes to them and reach somebody (GDPR 13)"
    yield from _unsafe_keys(settings)


def _unsafe_keys(settings: Settings) -> Iterator[Problem]:
    seen: set[bytes] = set()
    for name in KEYS:
        value = getattr(settings, name)
        for key in (value,) if isinstance(value, bytes) else value:
            if key in seen:
                yield name, "repeats a key that is in use already: every key must be its own (T14)"
            if len(set(key)) < 8:
                yield name, "holds a key that is not random; make one with `python -m preferences.cli.keys generate`"
            seen.add(key)


def _is_base_url(text: str) -> bool:
    """https://host[:port][/path], nothing that would break a header or a link (a comma splits List-Unsubscribe)."""
    if not re.fullmatch(r"https?://[A-Za-z0-9._~:/\[\]-]+", text, re.ASCII):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_web_address(text: str) -> bool:
    return re.fullmatch(r"https?://[^\s<>\"']+", text) is not None


def _is_database_url(text: str) -> bool:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return False
    kinds = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"}
    return url.drivername in kinds and url.database not in {None, "", ":memory:"}


def _is_domain(text: str) -> bool:
    try:
        return parse_domain(text) == text
    except InvalidAddress:
        return False


def _is_bearer_key(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{24,200}", text, re.ASCII) is not None


def _is_mailbox(text: str) -> bool:
    try:
        return bool(parse_address(parseaddr(text)[1]))
    except InvalidAddress:
        return False


def _is_storage(text: str) -> bool:
    return text == "memory://" or (text.startswith(("redis://", "rediss://")) and find_spec("redis") is not None)


def _is_time_zone(text: str) -> bool:
    try:
        return bool(ZoneInfo(text).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _is_logo(text: str) -> bool:
    return Path(text).suffix.lower() in {".svg", ".png"} and Path(text).is_file()


def _is_authority(text: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(text)
    except (OSError, ValueError):  # what OpenSSL says is an OSError
        return False
    return True


def _is_folder(text: str) -> bool:
    return Path(text).is_dir() and ";" not in text


def _are_locales(locales: tuple[str, ...]) -> bool:
    return 0 < len(locales) == len(set(locales)) and all(is_locale(one) for one in locales)


def _are_hosts(names: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"[a-z0-9.-]{1,253}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*", one, re.ASCII) for one in names)


def _is_issuer(text: str) -> bool:
    return re.fullmatch(r"https?://[^\s<>\"'?#@\\]+", text, re.ASCII) is not None


def _is_claim(text: str) -> bool:
    return re.fullmatch(r"[!-~]{1,200}", text, re.ASCII) is not None


def _are_scopes(names: tuple[str, ...]) -> bool:
    return "openid" in names and all(_is_claim(one) for one in names)


def _are_role_pairs(pairs: tuple[str, ...]) -> bool:
    return len(read_role_pairs(pairs)) == len(pairs)


def _are_domains(names: tuple[str, ...]) -> bool:
    return all(_is_domain(one) for one in names)


def _are_correctable(names: tuple[str, ...]) -> bool:
    return names == ("none",) or (len(names) == len(set(names)) and set(names) <= {"name", *PROFILE_FIELDS})


_SHAPES: dict[str, tuple[Callable[..., bool], str]] = {
    "accent_colour": (lambda text: bool(re.fullmatch(r"#[0-9a-fA-F]{6}", text)), "must look like #0b5d66"),
    "base_url": (_is_base_url, "must look like https://preferences.example.com, without query or user name"),
    "database_url": (_is_database_url, "must look like sqlite:////path/file.db or postgresql+psycopg://user@host/name"),
    "locales": (_are_locales, "must be language codes such as sv,en, each once"),
    "translations_path": (_is_folder, "must be the path of a folder that is there, without a semicolon"),
    "correctable_fields": (_are_correctable, f"must be none, or some of name,{','.join(PROFILE_FIELDS)}, each once"),
    "time_zone": (_is_time_zone, "must be a time zone such as Europe/Stockholm"),
    "base_url_ca": (_is_authority, "must be the path of a PEM file of certificates that is there"),
    "organisation_country": (lambda text: bool(re.fullmatch(r"[A-Z]{2}", text)), "must be a country code such as SE"),
    "organisation_email": (_is_mailbox, "must be an email address"),
    "organisation_website": (_is_web_address, "must start with https://"),
    "organisation_logo": (_is_logo, "must be the path of an SVG or PNG file that is there"),
    "mail_from": (_is_mailbox, "must be an email address"),
    "unsubscribe_mail_domain": (_is_domain, "must be a domain in lower case, such as stop.example.com"),
    "list_domain": (_is_domain, "must be a domain in lower case, such as lists.example.com"),
    "rate_limit_storage": (_is_storage, "must be memory:// or, with the redis package installed, redis://host"),
    "metrics_key": (_is_bearer_key, "must be 24 characters or more: letters, digits, - and _"),
    "webhook_private_hosts": (_are_hosts, "must be host names or addresses in lower case, without port"),
    "oidc_issuer": (_is_issuer, "must look like https://login.example.com/realms/staff, without query"),
    "oidc_verified_claim": (_is_claim, "must be the name of a claim"),
    "oidc_groups_claim": (_is_claim, "must be the name of a claim"),
    "oidc_scopes": (_are_scopes, "must hold openid, separated by commas"),
    "oidc_roles": (_are_role_pairs, f"must be group=role, each group once; a role is one of {', '.join(Role)}"),
    "oidc_new_staff_domains": (_are_domains, "must be domains in lower case, such as example.com"),
    "oidc_required_methods": (lambda names: all(_is_claim(one) for one in names), "must be values of amr"),
    "oidc_required_contexts": (lambda names: all(_is_claim(one) for one in names), "must be values of acr"),
    "oidc_passwords": (lambda text: text in set(PasswordsFor), f"must be one of {', '.join(PasswordsFor)}"),
    "oidc_private_hosts": (_are_hosts, "must be host names or addresses in lower case, without port"),
    "log_level": (lambda text: text.lower() in LOG_LEVELS, "must be debug, info, warning or error"),
}
