"""Whatever goes wrong, the page says what happened and leads somewhere, in the visitor's language (D8, D13)."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import abort

from app import create_app
from preferences.domain.errors import ConfigurationError
from preferences.web import pages
from preferences.web.access import Access, access
from preferences.web.errors import error_page
from tests.conftest import settings_environment
from tests.support.client import StrictClient
from tests.support.page import Page, get

STATUSES = {
    400: ("Vi förstod inte", "We did not understand that"),
    404: ("Sidan finns inte", "There is no such page"),
    405: ("Det går inte här", "That does not work here"),
    413: ("Det blev för mycket", "Too much was sent"),
    429: ("För många försök", "Too many attempts"),
    500: ("Något gick fel hos oss", "Something went wrong with us"),
    503: ("Vi kan inte spara något just nu", "We cannot save anything right now"),
}


@pytest.fixture
def broken(tmp_path: Path) -> StrictClient:
    """A service of its own whose extra views fail in every way."""
    app = create_app(settings_environment(f"sqlite:///{tmp_path / 'x.db'}"), instance_path=tmp_path)
    app.test_client_class = StrictClient

    @app.get("/fail/<int:status>")
    @access(Access.PUBLIC)
    def fail(status: int) -> str:
        if status == 500:
            raise RuntimeError("secret detail")
        if status == 503:
            raise OperationalError("SELECT secret", None, Exception("secret detail"))
        abort(status)

    client = app.test_client(use_cookies=False)
    assert isinstance(client, StrictClient)
    return client


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("language", ["sv", "en"])
def test_error_leads_somewhere_in_the_visitors_language(broken: StrictClient, status: int, language: str) -> None:
    response = broken.get(f"/fail/{status}", headers={"Accept-Language": language})
    page = Page(response)
    assert response.status_code == status
    assert page.language == language
    assert page.title.startswith("Fel: " if language == "sv" else "Error: ")
    assert STATUSES[status][0 if language == "sv" else 1] in page.text
    assert page.all("a", href="/")
    assert page.all("a", href="mailto:privacy@example.com")
    assert "secret" not in page.html
    assert "Traceback" not in page.html


@pytest.mark.parametrize("status", [429, 503])
def test_try_again_says_when(broken: StrictClient, status: int) -> None:
    assert int(broken.get(f"/fail/{status}").headers["Retry-After"]) > 0


def test_wrong_method_names_those_allowed(client: StrictClient) -> None:
    response = client.delete("/policy")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_unusual_status_gets_a_page_too(app: Flask) -> None:
    with app.test_request_context("/"):
        page, status, _ = error_page(418)
    assert status == 418
    assert "Vi förstod inte" in page


@pytest.mark.parametrize("path", ["/p/", "/c/", "/p/a/b/c", "/policy/", "/%2e%2e/etc/passwd", "/<script>", "/p/%ff"])
def test_addresses_that_are_not_there(client: StrictClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert Page(response).all("script") == []


def test_language_switch_on_an_error_leads_to_the_same_address(client: StrictClient) -> None:
    page = get(client, "/nowhere", **{"Accept-Language": "sv"})
    assert [one.get("href") for one in page.all("a", hreflang="en")] == ["?lang=en"]


@pytest.mark.parametrize("lang", ["xx", "<script>", "sv'\"", "a" * 5000])
def test_unknown_language_is_ignored(client: StrictClient, lang: str) -> None:
    page = Page(client.get("/cookies", query_string={"lang": lang}, headers={"Accept-Language": "en"}))
    assert page.language == "en"
    assert "<script" not in page.html


@pytest.mark.parametrize("language", ["sv", "en"])
def test_policy_and_cookies_in_both_languages(client: StrictClient, language: str) -> None:
    policy = get(client, f"/policy?lang={language}")
    assert policy.language == language
    assert ("inom fyra veckor" if language == "sv" else "within four weeks") in policy.text
    assert "imy.se" in policy.text
    for title in ("Enkäter", "Namn och bild i reklam") if language == "sv" else ("Feedback surveys",):
        assert title in policy.text
    assert ("inga kakor" if language == "sv" else "no cookies") in get(client, f"/cookies?lang={language}").text


def test_security_txt_names_a_contact_and_an_end(client: StrictClient) -> None:
    response = client.get("/.well-known/security.txt")
    lines = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert response.mimetype == "text/plain"
    assert lines["Contact"].startswith("mailto:")
    assert lines["Expires"].endswith("T00:00:00Z")


def test_assets_are_first_party_and_can_be_kept_for_a_year(client: StrictClient) -> None:
    page = get(client, "/cookies")
    for sheet in [*page.all("link", rel="stylesheet"), page.find("link", rel="icon")]:
        response = client.get(sheet.get("href", ""))
        assert response.status_code == 200
        assert "max-age=31536000" in response.headers["Cache-Control"]
        response.close()


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script></svg>'


def test_logo_is_served_by_the_service_itself_and_can_run_nothing(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(SVG)
    environment = settings_environment(f"sqlite:///{tmp_path / 'x.db'}", ORGANISATION_LOGO=str(logo))
    app = create_app(environment, instance_path=tmp_path)
    client = app.test_client()
    image = Page(client.get("/cookies")).find("img")
    assert image.get("alt") == "Exempelbolaget AB"
    response = client.get(image.get("src", ""))
    assert response.mimetype == "image/svg+xml"
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "content"),
    [("logo.gif", b"GIF89a"), ("logo.png", b"<svg"), ("logo.svg", b"hello"), ("logo.svg", b"<svg" + b"x" * 300_000)],
)
def test_logo_that_is_none_stops_the_start_by_the_settings_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match="ORGANISATION_LOGO"):
        pages.read_logo(str(tmp_path / name))


def test_logo_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ORGANISATION_LOGO"):
        pages.read_logo(str(tmp_path / "none.svg"))


def test_time_zone_that_is_none_stops_the_start(tmp_path: Path) -> None:
    environment = settings_environment(f"sqlite:///{tmp_path / 'x.db'}", TIME_ZONE="Mars/Olympus")
    with pytest.raises(ConfigurationError, match="TIME_ZONE"):
        create_app(environment, instance_path=tmp_path)
