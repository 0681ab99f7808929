"""The company's identity provider as the admin pages see it: how it is set up, and the one object that speaks with it."""

from __future__ import annotations

from flask import current_app

from preferences.domain.roles import Role
from preferences.domain.single_sign_on import PasswordsFor, SignOnRules
from preferences.integrations.oidc.provider import Provider
from preferences.queries.staff.staff import StaffView
from preferences.web.plumbing import settings

from .guard import SIGN_ON

RETURN = f"{SIGN_ON}/return"
_HELD = "preferences.identity_provider"


def sign_on() -> SignOnRules | None:
    """How staff sign in with the identity provider; None where they do not. For views and templates."""
    return settings().sign_on


def identity_provider() -> Provider | None:
    """The provider of the settings, with what it has published so far; None where there is none."""
    rules = sign_on()
    if rules is None:
        return None
    held: Provider | None = current_app.extensions.get(_HELD)
    if held is None or held.rules != rules:
        held = current_app.extensions[_HELD] = Provider(rules, return_url=settings().base_url + RETURN)
    return held


def signs_in_here(staff: StaffView) -> bool:
    """Whether somebody may sign in without the identity provider. Administrators always may: who else would repair it?"""
    rules = sign_on()
    return rules is None or rules.passwords is PasswordsFor.EVERYBODY or staff.role is Role.ADMINISTRATOR
