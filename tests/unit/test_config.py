"""Settings: every one parsed, refused by its name when it cannot be right, and in production when it is unsafe."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.cli import cli as flask_command

from preferences.config import PREFIX, Environment, MailSecurity, MailTransport, Settings
from preferences.domain.errors import ConfigurationError
from preferences.read_settings import read_settings
from tests.support.certificates import self_signed


def _key(first: int = 0) -> str:
    return base64.urlsafe_b64encode(bytes([first]) + hashlib.sha256(bytes([first])).digest()[1:]).decode()


SAFE = {
    "ENV": "production",
    "DATABASE_URL": "postgresql+psycopg://service@db.internal/preferences",
    "BASE_URL": "https://preferences.kundbolaget.se",
    "SECRET_KEYS": _key(1),
    "LINK_KEYS": _key(2),
    "DATA_KEYS": f"{_key(3)},{_key(4)}",
    "INDEX_KEY": _key(5),
    "SEAL_KEYS": _key(6),
    "MAIL_TRANSPORT": "smtp",
    "MAIL_SERVER": "smtp.kundbolaget.se",
    "MAIL_FROM": "no-reply@kundbolaget.se",
    "ORGANISATION_NAME": "Kundbolaget AB",
    "ORGANISATION_EMAIL": "privacy@kundbolaget.se",
}

UNSAFE = [
    ("DATABASE_URL", ""),
    ("BASE_URL", ""),
    ("BASE_URL", "http://preferences.kundbolaget.se"),
    ("SECRET_KEYS", ""),
    ("SECRET_KEYS", " , "),
    ("LINK_KEYS", ""),
    ("DATA_KEYS", ""),
    ("INDEX_KEY", ""),
    ("SEAL_KEYS", ""),
    ("SECRET_KEYS", base64.b64encode(b"A" * 32).decode()),
    ("LINK_KEYS", base64.b64encode(bytes(32)).decode()),
    ("DATA_KEYS", base64.b64encode(b"abcd" * 8).decode()),
    ("INDEX_KEY", base64.b64encode(b"\xff" * 32).decode()),
    ("LINK_KEYS", SAFE["SECRET_KEYS"]),
    ("DATA_KEYS", SAFE["LINK_KEYS"]),
    ("INDEX_KEY", SAFE["DATA_KEYS"].split(",")[0]),
    ("DATA_KEYS", ",".join([SAFE["DATA_KEYS"].split(",")[0]] * 2)),
    ("MAIL_TRANSPORT", "mailbox"),
    ("MAIL_SECURITY", "none"),
    ("MAIL_FROM", ""),
    ("ORGANISATION_NAME", ""),
    ("ORGANISATION_EMAIL", "privacy@example.com"),
]

MALFORMED = [
    ("ENV", "prod"),
    ("ENV", "PRODUCTION"),
    ("DATABASE_URL", "mysql://db/preferences"),
    ("DATABASE_URL", "postgresql+psycopg2://db/preferences"),
    ("DATABASE_URL", "postgresql://db"),
    ("DATABASE_URL", "postgresql://db:port/preferences"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "preferences.db"),
    ("BASE_URL", "preferences.kundbolaget.se"),
    ("BASE_URL", "ftp://preferences.kundbolaget.se"),
    ("BASE_URL", "https://"),
    ("BASE_URL", "https://user:password@kundbolaget.se"),
    ("BASE_URL", "https://kundbolaget.se?x=1"),
    ("BASE_URL", "https://kundbolaget.se/a,b"),
    ("BASE_URL", "https://kundbolaget.se:99999"),
    ("BASE_URL", "https://kundbolaget.se\r\nBcc: x"),
    ("BASE_URL", "https://exämple.se"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "80 80"),
    ("PORT", "1e3"),
    ("PORT", "1_0"),
    ("PORT", "٨٠"),
    ("SERVER_WORKERS", "0"),
    ("SERVER_THREADS", "100000"),
    ("SECRET_KEYS", "secret"),
    ("SECRET_KEYS", base64.b64encode(hashlib.sha256().digest()[1:]).decode()),
    ("LINK_KEYS", "å" * 44),
    ("DATA_KEYS", _key() + ",short"),
    ("INDEX_KEY", f"{_key()},{_key()}"),
    ("DEFAULT_LOCALE", "de"),
    ("LOCALES", ","),
    ("LOCALES", "sv,sv"),
    ("LOCALES", "sv,../../etc/passwd"),
    ("LOCALES", "Svenska"),
    ("TRANSLATIONS_PATH", "/nowhere/at/all"),
    ("TRANSLATIONS_PATH", __file__),
    ("TIME_ZONE", "Europe/Orebro"),
    ("TIME_ZONE", "../../etc/passwd"),
    ("TIME_ZONE", "CET+1"),
    ("ORGANISATION_NAME", "Bolaget\nBcc: everyone@example.com"),
    ("ORGANISATION_EMAIL", "privacy"),
    ("ORGANISATION_WEBSITE", "javascript:alert(1)"),
    ("ORGANISATION_LOGO", "/nowhere/logo.svg"),
    ("BASE_URL_CA", "/nowhere/ca.pem"),
    ("ORGANISATION_LOGO", __file__),
    ("ACCENT_COLOUR", "teal"),
    ("ACCENT_COLOUR", "#0b5d66;}body{display:none"),
    ("MAIL_TRANSPORT", "carrier pigeon"),
    ("MAIL_PORT", "smtp"),
    ("MAIL_SECURITY", "ssl"),
    ("MAIL_TIMEOUT", "0"),
    ("MAIL_FROM", "nobody"),
    ("UNSUBSCRIBE_MAIL_DOMAIN", "stop@example.com"),
    ("LIST_DOMAIN", "Lists.Example.com"),
    ("LIST_DOMAIN", "localhost"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "yes"),
    ("RATE_LIMIT_STORAGE", "memcached://x"),
    ("API_CALLS_PER_MINUTE", "0"),
    ("MAX_BODY_BYTES", "0"),
    ("MAX_BODY_BYTES", "32MB"),
    ("WEBHOOK_PRIVATE_HOSTS", "http://10.0.0.7"),
    ("WEBHOOK_PRIVATE_HOSTS", "10.0.0.7:8000"),
    ("OIDC_ISSUER", "login.kundbolaget.se"),
    ("OIDC_ISSUER", "https://login.example.com/?realm=staff"),
    ("OIDC_SCOPES", "email"),
    ("OIDC_GROUPS_CLAIM", "my groups"),
    ("OIDC_ROLES", "editors=editor"),
    ("OIDC_ROLES", "viewer"),
    ("OIDC_ROLES", "a=viewer,a=marketer"),
    ("OIDC_NEW_STAFF_DOMAINS", "Kundbolaget.se"),
    ("OIDC_NEW_STAFF_DOMAINS", "kundbolaget.se"),
    ("OIDC_PASSWORDS", "nobody"),
    ("OIDC_PASSWORDS", "administrators"),
    ("OIDC_PRIVATE_HOSTS", "https://login"),
    ("LOG_LEVEL", "chatty"),
    ("NO_SUCH_SETTING", "1"),
]


def _read(tmp_path: Path, **values: str) -> Settings:
    return read_settings({PREFIX + name: value for name, value in values.items()}, instance_path=tmp_path)


def test_nothing_set_starts_a_development_service_on_sqlite(tmp_path: Path) -> None:
    found = _read(tmp_path)
    assert found.env is Environment.DEVELOPMENT
    assert found.database_url == f"sqlite:///{tmp_path}/preferences.db"
    assert found.base_url == "http://127.0.0.1:8080"
    assert found.host == "127.0.0.1", "a development service is not offered to the network"


def test_complete_production_settings_are_accepted(tmp_path: Path) -> None:
    found = _read(tmp_path, **SAFE)
    assert found.is_production
    assert found.data_keys == tuple(base64.urlsafe_b64decode(key) for key in SAFE["DATA_KEYS"].split(","))
    assert found.base_host == "preferences.kundbolaget.se"


@pytest.mark.parametrize(("name", "value"), UNSAFE)
def test_production_refuses_an_unsafe_setting_by_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _read(tmp_path, **{**SAFE, name: value})
    assert refused.value.setting == PREFIX + name
    assert len(value) < 12 or value not in refused.value.detail


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_malformed_setting_is_refused_by_its_name_everywhere(tmp_path: Path, name: str, value: str) -> None:
    for others in ({}, SAFE):
        with pytest.raises(ConfigurationError) as refused:
            _read(tmp_path, **{**others, name: value})
        assert refused.value.setting == PREFIX + name
        assert len(value) < 12 or value not in refused.value.detail


@pytest.mark.parametrize(("name", "value"), UNSAFE + MALFORMED)
def test_flask_command_refuses_in_one_line_without_a_secret(tmp_path: Path, name: str, value: str) -> None:
    environ: dict[str, str | None] = {PREFIX + key: text for key, text in SAFE.items()}
    environ |= {PREFIX + "INSTANCE_PATH": str(tmp_path / "instance"), PREFIX + name: value}
    ran = CliRunner().invoke(flask_command, ["--app", "app:create_app", "ledger", "verify"], env=environ)
    assert ran.exit_code == 1
    assert ran.stdout == ""
    lines = ran.stderr.strip().splitlines()
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith(f"Error: {PREFIX}{name}: ")
    secrets_given = [key for text in environ.values() for key in (text or "").split(",") if len(key) == 44]
    assert not any(key in ran.output for key in secrets_given)
    assert not (tmp_path / "instance").exists(), "a service that refuses to start leaves nothing behind"


def test_every_setting_can_be_set(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    certificate, _ = self_signed(tmp_path, address="127.0.0.1", days=2)
    others: dict[str, Any] = {
        "BASE_URL_CA": str(certificate),
        "INSTANCE_PATH": str(tmp_path / "here"), "HOST": "0.0.0.0", "PORT": "9000", "SERVER_WORKERS": "2",
        "SERVER_THREADS": "8", "DEFAULT_LOCALE": "en", "LOCALES": "en, sv", "TRANSLATIONS_PATH": str(tmp_path),
        "TIME_ZONE": "Europe/Helsinki", "ORGANISATION_ADDRESS": "Storgatan 1, Örebro",
        "ORGANISATION_WEBSITE": "https://kundbolaget.se", "ORGANISATION_LOGO": str(logo), "ACCENT_COLOUR": "#AA0000",
        "MAIL_PORT": "465", "MAIL_SECURITY": "tls", "MAIL_USERNAME": "mailer", "MAIL_PASSWORD": "p,a=s s", "MAIL_TIMEOUT": "5",
        "UNSUBSCRIBE_MAIL_DOMAIN": "stop.kundbolaget.se", "LIST_DOMAIN": "lists.kundbolaget.se", "TRUSTED_PROXIES": "1",
        "RATE_LIMIT_STORAGE": "memory://", "API_CALLS_PER_MINUTE": "10", "MAX_BODY_BYTES": "2048", "LOG_LEVEL": "warning",
        "CORRECTABLE_FIELDS": "name, telephone", "ORGANISATION_COUNTRY": "NO", "ORGANISATION_PHONE": "+47 22 00 00 00",
        "METRICS_KEY": "monitor-0123456789-abcdefgh", "METRICS_PORT": "9464", "METRICS_HOST": "0.0.0.0",
        "WEBHOOK_PRIVATE_HOSTS": "hooks.intern, 10.0.0.7",
        "RETAIN_UNUSED_RECIPIENTS_MONTHS": "36", "RETAIN_EVIDENCE_MONTHS": "12", "RETAIN_REQUESTS_MONTHS": "12",
        "RETAIN_TAKEDOWNS_MONTHS": "12", "RETAIN_PARTICIPANTS_MONTHS": "12",
        "OIDC_ISSUER": "https://login.kundbolaget.se/realms/staff", "OIDC_CLIENT_ID": "preferences",
        "OIDC_CLIENT_SECRET": "x", "OIDC_LABEL": "Kundbolaget", "OIDC_SCOPES": "openid,email,groups",
        "OIDC_VERIFIED_CLAIM": "xms_edov", "OIDC_GROUPS_CLAIM": "roles", "OIDC_ROLES": "a=b=viewer,c=administrator",
        "OIDC_NEW_STAFF_DOMAINS": "kundbolaget.se", "OIDC_REQUIRED_METHODS": "mfa,hwk",
        "OIDC_REQUIRED_CONTEXTS": "gold", "OIDC_PASSWORDS": "administrators",
        "OIDC_PRIVATE_HOSTS": "login.kundbolaget.se",
    }  # fmt: skip
    found = _read(tmp_path, **SAFE, **others)
    assert {entry.name for entry in fields(Settings)} <= {name.lower() for name in (*SAFE, *others)}
    assert found.locales == ("en", "sv")
    assert found.port == 9000
    assert found.mail_password == "p,a=s s"
    assert found.mail_security is MailSecurity.TLS
    assert found.mail_transport is MailTransport.SMTP
    assert found.instance_path == tmp_path / "here"


SIGN_ON = {"OIDC_ISSUER": "https://login.kundbolaget.se", "OIDC_CLIENT_ID": "preferences", "OIDC_CLIENT_SECRET": "x"}


@pytest.mark.parametrize("missing", SIGN_ON)
def test_half_of_single_sign_on_is_refused_by_the_name_of_what_is_missing(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _read(tmp_path, **{**SIGN_ON, missing: ""})
    assert refused.value.setting == PREFIX + missing


def test_identity_provider_is_called_over_https_and_at_a_public_address_unless_it_is_named(tmp_path: Path) -> None:
    for issuer in ("http://login.kundbolaget.se", "https://10.0.0.8/realms/staff"):
        with pytest.raises(ConfigurationError, match="OIDC_ISSUER"):
            _read(tmp_path, **{**SIGN_ON, "OIDC_ISSUER": issuer})
    named = {**SIGN_ON, "OIDC_ISSUER": "http://10.0.0.8", "OIDC_PRIVATE_HOSTS": "10.0.0.8"}
    assert _read(tmp_path, **named).sign_on is not None
    with pytest.raises(ConfigurationError, match="OIDC_ISSUER"):
        _read(tmp_path, **SAFE, **named)


def test_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert _read(tmp_path, PORT="", LOG_LEVEL="  ") == _read(tmp_path)


def test_slash_at_the_end_of_the_base_url_is_taken_off(tmp_path: Path) -> None:
    assert _read(tmp_path, BASE_URL="https://kundbolaget.se/mail/").base_url == "https://kundbolaget.se/mail"


def test_mail_server_on_this_machine_needs_no_encryption(tmp_path: Path) -> None:
    assert _read(tmp_path, **{**SAFE, "MAIL_SERVER": "localhost", "MAIL_SECURITY": "none"})


def test_variables_of_others_are_none_of_our_business(tmp_path: Path) -> None:
    assert read_settings({"PATH": "/bin", "PREFERENCES_TEST_REQUIRE": "x"}, instance_path=tmp_path)


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        _read(tmp_path).port = 1  # type: ignore[misc]
