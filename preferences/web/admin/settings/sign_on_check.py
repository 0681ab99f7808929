"""The line of the self-check about single sign-on: whether the identity provider can be reached, and what it published fits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask_babel import gettext

from preferences.domain.single_sign_on import SignOnRefused, WhyNot
from preferences.web.admin.identity_provider import RETURN, identity_provider
from preferences.web.plumbing import settings

from .line import Line, Verdict


def sign_on_check(*, now: datetime) -> Iterator[Line]:
    """Nothing without single sign-on. Asks the provider when what it published is not at hand: outside any transaction."""
    provider = identity_provider()
    if provider is None:
        return
    title, issuer = gettext("Single sign-on"), provider.rules.issuer
    try:
        found = provider.documents(now=now)
    except SignOnRefused as error:
        yield Line(title, Verdict.LOOK, _problem(error, issuer), gettext("See docs/single-sign-on.md."))
        return
    said = gettext(
        "%(issuer)s answers; %(count)s of its keys are at hand. It leads back to %(address)s.",
        issuer=issuer,
        count=len(found.keys),
        address=settings().base_url + RETURN,
    )
    if issuer.startswith("https://"):
        yield Line(title, Verdict.GOOD, said)
        return
    verdict = Verdict.LOOK if settings().is_production else Verdict.GOOD
    yield Line(title, verdict, f"{said} {gettext('Without https that is for development only.')}")


def _problem(error: SignOnRefused, issuer: str) -> str:
    if error.detail == "discovery_of_another_issuer":
        return str(
            gettext(
                "The provider at %(issuer)s calls itself something else; both must agree to the letter.", issuer=issuer
            )
        )
    if error.why is WhyNot.UNREACHABLE:
        return str(gettext("%(issuer)s cannot be reached (%(code)s).", issuer=issuer, code=error.detail))
    return str(gettext("What %(issuer)s publishes cannot be used (%(code)s).", issuer=issuer, code=error.detail))
