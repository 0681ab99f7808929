"""What every page shares: the organisation, its look, the languages. Worked out once at start; templates read `site`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from flask import Blueprint, Flask, Response, abort, current_app
from flask_babel import get_locale
from markupsafe import Markup

from preferences.config import Settings
from preferences.domain.errors import ConfigurationError
from preferences.domain.purpose import NoticeText

from .access import Access, access
from .locale import in_language, keeping_language
from .theme import stylesheet

blueprint = Blueprint("site", __name__)

A_YEAR = "public, max-age=31536000, immutable"
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
MAX_LOGO_BYTES = 200_000
LOGO_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""An SVG is a document that could hold script: opened by itself it may run nothing and load nothing."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language offered by the switch, under its own name."""

    code: str
    name: str

    @property
    def tag(self) -> str:
        """As in `lang` (BCP 47)."""
        return self.code.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the layout shows. Addresses of assets carry a digest of their content, so they can be kept for a year."""

    name: str
    postal_address: str
    email: str
    website: str
    languages: tuple[Language, ...]
    styles: tuple[str, ...]
    icon: str
    logo: str
    """The logo's address; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Asset:
    """Something small served from memory."""

    content: bytes
    mimetype: str


def register_pages(app: Flask, settings: Settings) -> None:
    """Give templates the site, the language and the switch; serve the theme and the logo."""
    theme = Asset(stylesheet(settings.accent_colour).encode(), "text/css")
    logo = read_logo(settings.organisation_logo)
    app.extensions["preferences.assets"] = {"theme": theme, "logo": logo}
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000
    app.jinja_env.globals.update(
        site=_site(app, settings, theme, logo),
        page_language=page_language,
        page_direction=page_direction,
        spoken=spoken,
        keeping_language=keeping_language,
        in_language=in_language,
    )
    app.register_blueprint(blueprint)


def page_language() -> str:
    """The language of this page as HTML writes it."""
    return str(get_locale()).replace("_", "-")


def page_direction() -> str:
    """Which way the language of this page is written: `ltr` or `rtl`."""
    return str(Locale.parse(str(get_locale())).text_direction)


def spoken(text: NoticeText) -> Markup:
    """The attributes of an element with words in another language than the page's; nothing in its own (WCAG 3.1.2)."""
    tag = text.locale.replace("_", "-")
    if tag == page_language():
        return Markup()
    return Markup(' lang="{}" dir="{}"').format(tag, Locale.parse(text.locale).text_direction)


def read_logo(path: str) -> Asset | None:
    """The organisation's logo. Raises ConfigurationError when the file is missing, too large, or neither SVG nor PNG."""
    if not path:
        return None
    mimetype = LOGO_TYPES.get(Path(path).suffix.lower())
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError("PREFERENCES_ORGANISATION_LOGO", "the file cannot be read") from error
    looks_right = content.startswith(b"\x89PNG\r\n\x1a\n") if mimetype == "image/png" else b"<svg" in content[:2000]
    if mimetype is None or not looks_right or len(content) > MAX_LOGO_BYTES:
        raise ConfigurationError("PREFERENCES_ORGANISATION_LOGO", "must be an .svg or .png file of at most 200 kB")
    return Asset(content, mimetype)


@blueprint.get("/theme.css")
@access(Access.PUBLIC)
def theme() -> Response:
    """The accent colour, readable in both schemes."""
    return _kept("theme")


@blueprint.get("/logo")
@access(Access.PUBLIC)
def logo() -> Response:
    """The organisation's logo, from the service itself."""
    response = _kept("logo")
    response.headers["Content-Security-Policy"] = LOGO_CSP
    return response


def _kept(name: str) -> Response:
    asset: Asset | None = current_app.extensions["preferences.assets"][name]
    if asset is None:
        abort(404)
    response = Response(asset.content, mimetype=asset.mimetype)
    response.headers["Cache-Control"] = A_YEAR
    return response


def _site(app: Flask, settings: Settings, theme: Asset, logo: Asset | None) -> Site:
    return Site(
        name=settings.organisation_name,
        postal_address=settings.organisation_address,
        email=settings.organisation_email,
        website=settings.organisation_website,
        languages=tuple(
            Language(code, (Locale.parse(code).get_display_name(code) or code).capitalize())
            for code in settings.locales
        ),
        styles=(static_address(app, "css/site.css"), f"/theme.css?v={_digest(theme.content)}"),
        icon=static_address(app, "icons/icon.svg"),
        logo=f"/logo?v={_digest(logo.content)}" if logo else "",
    )


def static_address(app: Flask, name: str) -> str:
    """The address of a static file with a digest of its content in it, so that it can be kept for a year."""
    return f"/static/{name}?v={_digest((Path(app.root_path) / 'static' / name).read_bytes())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
