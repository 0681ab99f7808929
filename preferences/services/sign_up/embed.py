"""A sign-up form as plain HTML for another site: what the template recipient/subscribe_embed.html shows."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.domain.sign_up import FIELD_NAMES, FormSealer, SignUpForm, controls
from preferences.queries.purposes.purposes import catalogue

from .forms import offered


def form_address(form: SignUpForm, settings: Settings) -> str:
    """Where the form is hosted."""
    return f"{settings.base_url}/subscribe/{form.key}"


def embed_words(session: Session, form: SignUpForm, locale: str, settings: Settings) -> dict[str, Any]:
    """What the template needs in this language. Raises NotFound where nothing that the form offers is in use any more."""
    return {
        "action": f"{form_address(form, settings)}?lang={locale}",
        "language": locale.replace("_", "-"),
        "heading": form.heading(locale, settings.default_locale),
        "controls": controls(offered(catalogue(session), form), locale=locale, default=settings.default_locale),
        "organisation": settings.organisation_name,
        "policy": f"{settings.base_url}/policy?lang={locale}",
        "seal": FormSealer(settings.secret_keys).embed_seal(form.key),
        **FIELD_NAMES,
    }
