"""Settings: one frozen, typed object. A default is safe to publish or absent.

Every setting is an environment variable with the prefix `PREFERENCES_`, which `read_settings.py` reads; `safe_settings.py` says
what a value must look like. `docs/settings.md` documents each; a guard test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from preferences.domain.key_ages import KeyKind
from preferences.domain.single_sign_on import PasswordsFor, SignOnRules, read_role_pairs
from preferences.domain.webhook_urls import UrlRules

PREFIX = "PREFERENCES_"


class Environment(StrEnum):
    """Where the service runs. Production refuses to start with anything unsafe; testing never touches `instance/`."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TESTING = "testing"


class MailTransport(StrEnum):
    """Where outgoing mail goes: a local mailbox page, or an SMTP server."""

    MAILBOX = "mailbox"
    SMTP = "smtp"


class MailSecurity(StrEnum):
    """How the SMTP connection is protected; certificates are always verified."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


NO_KEY = b""
"""By its name, for a bare b"" in a call of `_setting` cannot be read by what gathers texts for translation."""


def _setting(what: str, *, default: Any = None, secret: str = "") -> Any:
    """One setting. `what` is the line of docs/settings.md, and is translated where the settings' page shows it."""
    return field(default=default, metadata={"what": what, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration. Field names are the variables' names in lower case, without the prefix."""

    env: Environment = _setting("`development`, `production` or `testing`", default=Environment.DEVELOPMENT)
    instance_path: Path = _setting("folder for the database, keys and mailbox of a development service")
    database_url: str = _setting(
        "`sqlite:///…` or `postgresql+psycopg://…`; SQLite in `instance/` when unset", default=""
    )
    base_url: str = _setting("the public address of the service, without a slash at the end", default="")
    base_url_ca: str = _setting(
        "a PEM file: the authority that signed the certificate of the public address, where that is the company's own;"
        " for the [self-check](admin.md) alone",
        default="",
    )
    host: str = _setting("address to listen on", default="127.0.0.1")
    port: int = _setting("port to listen on", default=8080)
    server_workers: int = _setting("server processes; 1 on SQLite", default=1)
    server_threads: int = _setting("threads a process; 1 on SQLite", default=1)
    secret_keys: tuple[bytes, ...] = _setting(
        "keys for cookies, oldest to newest, base64, comma-separated", default=(), secret="yes"
    )
    link_keys: tuple[bytes, ...] = _setting("keys that sign links, oldest to newest", default=(), secret="yes")
    data_keys: tuple[bytes, ...] = _setting(
        "keys that encrypt personal data, oldest to newest", default=(), secret="yes"
    )
    index_key: bytes = _setting(
        "key of the blind indexes and suppressions; never changes", default=NO_KEY, secret="yes"
    )
    seal_keys: tuple[bytes, ...] = _setting(
        "keys that sign the seals of the ledger (Ed25519), oldest to newest", default=(), secret="yes"
    )
    default_locale: str = _setting("language when nothing else is known", default="sv")
    locales: tuple[str, ...] = _setting("languages offered, in the order of the switch", default=("sv", "en"))
    translations_path: str = _setting(
        "folder of your own with further languages, or with other words; see [languages](languages.md)", default=""
    )
    time_zone: str = _setting("time zone of the dates on pages and in mail", default="Europe/Stockholm")
    organisation_name: str = _setting("the company's name on pages and in mail", default="Exempelbolaget AB")
    organisation_address: str = _setting("its postal address, shown at the foot of pages and mail", default="")
    organisation_country: str = _setting(
        "its country (ISO 3166-1), on receipts: jurisdiction, and where the data is stored", default="SE"
    )
    organisation_phone: str = _setting("its telephone number, on receipts", default="")
    organisation_email: str = _setting("where people reach the privacy officer", default="privacy@example.com")
    organisation_website: str = _setting("its web address", default="")
    organisation_logo: str = _setting("an SVG or PNG file shown on pages; served by the service itself", default="")
    accent_colour: str = _setting("the one accent colour, `#rrggbb`", default="#0b5d66")
    mail_transport: MailTransport = _setting("`mailbox` or `smtp`", default=MailTransport.MAILBOX)
    mail_server: str = _setting("SMTP server", default="localhost")
    mail_port: int = _setting("SMTP port", default=587)
    mail_security: MailSecurity = _setting("`none`, `starttls` or `tls`", default=MailSecurity.STARTTLS)
    mail_username: str = _setting("SMTP user name", default="")
    mail_password: str = _setting("SMTP password", default="", secret="yes")
    mail_timeout: int = _setting("seconds before an SMTP server counts as hanging", default=20)
    mail_from: str = _setting("sender of the service's own mail", default="no-reply@example.com")
    unsubscribe_mail_domain: str = _setting(
        "domain whose mail the gateway reads; adds `mailto:` to List-Unsubscribe", default=""
    )
    list_domain: str = _setting("domain in List-Id; the base URL's host when unset", default="")
    trusted_proxies: int = _setting("how many reverse proxies stand in front", default=0)
    correctable_fields: tuple[str, ...] = _setting(
        "what a person may correct at once; the rest is asked for and checked; `none` for nothing",
        default=("name", "contact_person", "telephone", "address", "business_unit"),
    )
    rate_limit_storage: str = _setting("`memory://` or `redis://…` for several processes", default="memory://")
    api_calls_per_minute: int = _setting("calls one API key may make a minute", default=6000)
    webhook_private_hosts: tuple[str, ...] = _setting(
        "hosts that endpoints may name although they are not public; outside production also over http", default=()
    )
    max_body_bytes: int = _setting("largest request body accepted", default=32 * 1024 * 1024)
    metrics_key: str = _setting(
        "bearer key that opens `/metrics` on the public port; without it there is nothing there",
        default="",
        secret="yes",
    )
    metrics_port: int = _setting("port on which the worker answers `/metrics` without a key; 0: none", default=0)
    metrics_host: str = _setting("address for that port", default="127.0.0.1")
    retain_unused_recipients_months: int = _setting(
        "months until people without consent who are not heard of are erased; 0: never by itself", default=0
    )
    retain_evidence_months: int = _setting(
        "months that evidence is kept after the act was replaced; 0: always", default=36
    )
    retain_requests_months: int = _setting(
        "months that texts of answered rights requests are kept; 0: always", default=24
    )
    retain_takedowns_months: int = _setting("months that texts of finished takedowns are kept; 0: always", default=24)
    retain_participants_months: int = _setting("months that lists of participants are kept; 0: always", default=24)
    oidc_issuer: str = _setting(
        "issuer of the identity provider that staff sign in with; without it there is no"
        " [single sign-on](single-sign-on.md)",
        default="",
    )
    oidc_client_id: str = _setting("the name that the identity provider knows this service by", default="")
    oidc_client_secret: str = _setting("the secret that goes with it", default="", secret="yes")
    oidc_label: str = _setting("what the button calls it: “Sign in with …”", default="")
    oidc_scopes: tuple[str, ...] = _setting(
        "what is asked of the identity provider", default=("openid", "profile", "email")
    )
    oidc_verified_claim: str = _setting("claim that says whether the address is verified", default="email_verified")
    oidc_groups_claim: str = _setting("claim that lists somebody's groups; `a.b` is b within a", default="groups")
    oidc_roles: tuple[str, ...] = _setting(
        "who gets which role, as `group=role`; then the role follows the groups at every sign-in", default=()
    )
    oidc_new_staff_domains: tuple[str, ...] = _setting(
        "domains of addresses whose owners are added at their first sign-in when a group gives them a role;"
        " without it only those who were invited get in",
        default=(),
    )
    oidc_required_methods: tuple[str, ...] = _setting(
        "methods (`amr`) of which the identity provider must have used one, such as `mfa`", default=()
    )
    oidc_required_contexts: tuple[str, ...] = _setting(
        "levels (`acr`) of which the sign-in must have reached one", default=()
    )
    oidc_passwords: str = _setting(
        "who may sign in with a password or a passkey beside it: `everybody` or `administrators`", default="everybody"
    )
    oidc_private_hosts: tuple[str, ...] = _setting(
        "hosts of the identity provider that are not public; outside production also over http", default=()
    )
    log_level: str = _setting("`debug`, `info`, `warning` or `error`", default="info")

    @property
    def is_production(self) -> bool:
        """Whether unsafe settings must stop the start."""
        return self.env is Environment.PRODUCTION

    @property
    def webhook_urls(self) -> UrlRules:
        """Which URLs mailers may have called."""
        return UrlRules(self.webhook_private_hosts, allows_http=not self.is_production)

    @property
    def sign_on(self) -> SignOnRules | None:
        """How staff sign in with the company's identity provider; None: they do not."""
        if not self.oidc_issuer:
            return None
        return SignOnRules(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret,
            label=self.oidc_label,
            scopes=self.oidc_scopes,
            verified_claim=self.oidc_verified_claim,
            groups_claim=self.oidc_groups_claim,
            roles=read_role_pairs(self.oidc_roles),
            new_staff_domains=frozenset(self.oidc_new_staff_domains),
            required_methods=frozenset(self.oidc_required_methods),
            required_contexts=self.oidc_required_contexts,
            passwords=PasswordsFor(self.oidc_passwords),
            urls=UrlRules(self.oidc_private_hosts, allows_http=not self.is_production),
        )

    @property
    def retention_months(self) -> dict[str, int]:
        """The periods that the company has chosen, by the setting's name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name.startswith("retain_")}

    @property
    def keys_by_kind(self) -> dict[KeyKind, tuple[bytes, ...]]:
        """The service's own keys, each list from the oldest to the newest."""
        return {
            KeyKind.SECRET: self.secret_keys,
            KeyKind.LINK: self.link_keys,
            KeyKind.DATA: self.data_keys,
            KeyKind.SEAL: self.seal_keys,
            KeyKind.INDEX: (self.index_key,),
        }

    @property
    def base_host(self) -> str:
        """The host of the base URL."""
        return urlsplit(self.base_url).hostname or "localhost"
