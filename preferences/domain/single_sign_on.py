"""Single sign-on: what the company's identity provider vouches for, who gets in with that, and why somebody does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from .errors import PreferencesError
from .roles import Role
from .webhook_urls import UrlRules

ROUND_LASTS = timedelta(minutes=10)
"""How long somebody may be at the identity provider before the sign-in has to be begun again."""

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the identity provider's clock may be from ours."""


class PasswordsFor(StrEnum):
    """Who may sign in with a password beside it. Administrators always: when the provider is down, they are needed."""

    EVERYBODY = "everybody"
    ADMINISTRATORS = "administrators"


class WhyNot(StrEnum):
    """Why somebody was not signed in. Stands in the audit and in the log; the page has a sentence for each."""

    DENIED = "denied"
    """The person, or the provider, said no (`access_denied`)."""
    PROVIDER_ERROR = "provider_error"
    """The provider answered with another error."""
    STALE = "stale"
    """Begun too long ago, in another browser, or finished before."""
    FORGED = "forged"
    """The state, or the issuer in the answer, is not what this browser set out with (CSRF, mix-up)."""
    UNREACHABLE = "unreachable"
    UNUSABLE = "unusable"
    """The provider's documents or keys cannot be used, or are another issuer's."""
    CODE_REFUSED = "code_refused"
    """The provider did not give a token for the code."""
    BAD_TOKEN = "bad_token"  # noqa: S105 - a word of the vocabulary
    """The token is not signed by the provider, or is not meant for us."""
    CLOCK = "clock"
    """Its times do not fit ours."""
    NOT_AGAIN = "not_again"
    """The person was asked to prove it once more, and the provider does not say that they did."""
    TOO_WEAK = "too_weak"
    """Signed in at the provider, but not in a way that the settings require."""
    UNVERIFIED = "unverified"
    """The provider does not vouch for the address, so it proves nothing."""
    NOT_INVITED = "not_invited"
    NO_ROLE = "no_role"
    """No group of theirs gives a role."""
    SOMEBODY_ELSE = "somebody_else"
    """The address, or the session, belongs to somebody who signs in with another account of the provider."""
    DISABLED = "disabled"


class SignOnRefused(PreferencesError):
    """A round through the identity provider ended without a sign-in. `detail` is a short code for the log, never a value."""

    code: ClassVar[str] = "single_sign_on"
    status = 403
    title = "Not signed in"

    def __init__(self, why: WhyNot, detail: str = "") -> None:
        super().__init__(detail or why.value)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignOnRules:
    """How the settings say that single sign-on works."""

    issuer: str
    client_id: str
    client_secret: str
    label: str
    scopes: tuple[str, ...]
    verified_claim: str
    groups_claim: str
    roles: Mapping[str, Role]
    """What groups give. Empty: roles are given on the staff page alone."""
    new_staff_domains: frozenset[str]
    required_methods: frozenset[str]
    required_contexts: tuple[str, ...]
    passwords: PasswordsFor
    urls: UrlRules


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Vouched:
    """What the identity provider has signed, read and found right. Never logged."""

    issuer: str
    subject: str
    address: str | None
    is_verified: bool
    name: str
    groups: frozenset[str]
    methods: frozenset[str]
    context: str
    proved_at: datetime | None
    """When the person last proved to the provider who they are, where it says so."""


class Errand(StrEnum):
    """What somebody was sent to the identity provider for."""

    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    """To prove once more who they are, in a session that is open."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Round:
    """One way to the identity provider and back. The browser that set out keeps it, signed; it comes back once."""

    errand: Errand
    state: str
    nonce: str
    verifier: str
    onward: str
    begun_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether too much time has passed; a round from the future is none of ours."""
        return not -CLOCKS_DIFFER <= now - self.begun_at < ROUND_LASTS


def read_role_pairs(pairs: Iterable[str]) -> dict[str, Role]:
    """Groups with the roles they give, from `group=role`. What cannot be read is left out; the last `=` counts."""
    found: dict[str, Role] = {}
    for pair in pairs:
        group, _, role = pair.rpartition("=")
        if group.strip() and role.strip() in set(Role):
            found[group.strip()] = Role(role.strip())
    return found


def role_of(groups: frozenset[str], roles: Mapping[str, Role]) -> Role | None:
    """The role that somebody's groups give: of several the one that may most."""
    given = {role for group, role in roles.items() if group in groups}
    return max(given, key=list(Role).index, default=None)


def claim_at(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by a path such as `realm_access.roles`; None where it is not there."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def weakness(vouched: Vouched, rules: SignOnRules) -> str:
    """What is missing in how somebody signed in at the provider, as a code; empty: nothing."""
    if rules.required_methods and not rules.required_methods & vouched.methods:
        return "amr"
    if rules.required_contexts and vouched.context not in rules.required_contexts:
        return "acr"
    return ""
