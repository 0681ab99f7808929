"""A further language is one command and a file: Polish with three plural forms, Arabic with six and written from the right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask_babel import Domain, force_locale, ngettext
from sqlalchemy.orm import Session

from app import create_app
from preferences.cli.setup import prepare_database
from preferences.domain.capability import Capability
from preferences.domain.errors import ConfigurationError
from tests.conftest import settings_environment
from tests.factories import link, make_recipient
from tests.support.catalogues import as_mo, as_po, load, main
from tests.support.client import StrictClient
from tests.support.page import Page, get
from tests.support.step_up import ask, step_up
from tests.support.templates import share_compiled

CLOSES = ("This page closes by itself in %(num)s minute.", "This page closes by itself in %(num)s minutes.")
SIDES = re.compile(r"(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)|[ {](?:left|right):")
WORDS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "pl": {
        "Your choices": "Twoje wybory",
        "Your link and code to what we know about you": "Twój link i kod do tego, co o tobie wiemy",
        CLOSES[0]: (
            "Ta strona zamknie się sama za %(num)s minutę.",
            "Ta strona zamknie się sama za %(num)s minuty.",
            "Ta strona zamknie się sama za %(num)s minut.",
        ),
    },
    "ar": {
        "Your choices": "خياراتك",
        "Your link and code to what we know about you": "الرابط والرمز لما نعرفه عنك",
        CLOSES[0]: (
            "ستُغلق هذه الصفحة الآن.",
            "ستُغلق هذه الصفحة بعد دقيقة واحدة.",
            "ستُغلق هذه الصفحة بعد دقيقتين.",
            "ستُغلق هذه الصفحة بعد %(num)s دقائق.",
            "ستُغلق هذه الصفحة بعد %(num)s دقيقة.",
            "ستُغلق هذه الصفحة بعد %(num)s دقيقةً.",
        ),
    },
    "sv": {"Cookies": "Våra kakor"},
}


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder made as docs/languages.md says: a command, the words written into the file, and the command to compile them."""
    folder = tmp_path_factory.mktemp("translations")
    for locale, words in WORDS.items():
        assert main(["add", locale, str(folder)]) == 0
        catalogue = load(locale, folder)
        for msgid, text in words.items():
            message = catalogue.get(msgid)
            assert message is not None
            message.string = text
        (folder / locale / "LC_MESSAGES" / "messages.po").write_bytes(as_po(catalogue))
    assert main(["update", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, translations: Path) -> Iterator[Flask]:
    """The service with these languages, on SQLite."""
    folder = tmp_path_factory.mktemp("languages")
    more = {"LOCALES": "sv,en,pl,ar", "TRANSLATIONS_PATH": str(translations)}
    app = create_app(settings_environment(f"sqlite:///{folder / 'test.db'}", **more), instance_path=folder)
    app.test_client_class = StrictClient
    share_compiled(app, tmp_path_factory)
    with app.app_context():
        prepare_database()
        yield app
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.mark.parametrize(("locale", "forms"), [("pl", 3), ("ar", 6), ("sv", 2)])
def test_the_new_file_has_a_place_for_every_plural_form(translations: Path, locale: str, forms: int) -> None:
    text = (translations / locale / "LC_MESSAGES" / "messages.po").read_text()
    assert f"nplurals={forms};" in text
    assert f"msgstr[{forms - 1}]" in text
    assert f"msgstr[{forms}]" not in text


@pytest.mark.parametrize(
    ("locale", "direction", "heading"),
    [("pl", "ltr", "Twoje wybory"), ("ar", "rtl", "خياراتك"), ("en", "ltr", "Your choices")],
)
def test_page_says_its_language_and_direction(
    app: Flask, client: StrictClient, session: Session, locale: str, direction: str, heading: str
) -> None:
    anna = make_recipient(session, f"{locale}@example.se", locale=locale)
    page = get(client, f"/p/{link(anna, capability=Capability.PREFERENCES)}")
    assert (page.language, page.root.get("dir")) == (locale, direction)
    assert page.title.startswith(heading)
    switch = {one.get("lang"): one.text for one in page.find("nav", **{"class": "languages"}).iter("a")}
    assert {"pl": "Polski", "ar": "العربية", "sv": "Svenska", "en": "English"}.items() >= switch.items()
    assert "Save my choices" in page.text, "what is not translated is in English, text by text"


def test_words_of_a_purpose_without_text_in_the_language_say_whose_they_are(
    client: StrictClient, session: Session
) -> None:
    anna = make_recipient(session, "words@example.se", locale="ar")
    page = get(client, f"/p/{link(anna, capability=Capability.PREFERENCES)}")
    legend = page.find("fieldset", id="choice-events").find("legend")
    assert legend is not None
    assert (legend.text, legend.get("lang"), legend.get("dir")) == ("Inbjudningar till evenemang", "sv", "ltr")
    swedish = get(client, f"/p/{link(anna, capability=Capability.PREFERENCES)}?lang=sv")
    assert swedish.find("fieldset", id="choice-events").find("legend").attrib == {}  # type: ignore[union-attr]


def test_words_in_ones_own_folder_go_before_those_of_the_project_and_the_rest_stays(
    app: Flask,
) -> None:
    words = Domain(
        app.config["BABEL_TRANSLATION_DIRECTORIES"].split(";")
    )  # its own: the extension's is every application's
    with app.test_request_context("/"), force_locale("sv"):
        assert words.gettext("Cookies") == "Våra kakor"
        assert words.gettext("Skip to content") == "Hoppa till innehållet"


@pytest.mark.parametrize(
    ("locale", "left", "expected"),
    [
        ("pl", 1, "za 1 minutę."),
        ("pl", 2, "za 2 minuty."),
        ("pl", 5, "za 5 minut."),
        ("pl", 22, "za 22 minuty."),
        ("ar", 1, "بعد دقيقة واحدة."),
        ("ar", 2, "بعد دقيقتين."),
        ("ar", 5, "بعد 5 دقائق."),
        ("ar", 22, "بعد 22 دقيقةً."),
    ],
)
def test_page_counts_as_its_language_does(app: Flask, session: Session, locale: str, left: int, expected: str) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        own = step_up(app, make_recipient(session, f"{locale}.{left}@example.se", locale=locale))
        clock.shift(timedelta(minutes=30 - left))
        page = Page(own.client.get("/me"))
    assert expected in page.text
    assert page.language == locale


@pytest.mark.parametrize(
    ("locale", "forms"),
    [
        ("pl", {0: 2, 1: 0, 2: 1, 5: 2, 12: 2, 22: 1, 25: 2}),
        ("ar", {0: 0, 1: 1, 2: 2, 5: 3, 10: 3, 11: 5, 22: 5, 100: 4}),
    ],
)
def test_every_plural_form_has_its_numbers(app: Flask, locale: str, forms: dict[int, int]) -> None:
    with app.test_request_context("/"), force_locale(locale):
        found = {number: ngettext(*CLOSES, number) for number in forms}
    assert found == {number: WORDS[locale][CLOSES[0]][form] % {"num": number} for number, form in forms.items()}


@pytest.mark.parametrize(
    ("locale", "direction", "subject"), [("pl", "ltr", "Twój link i kod"), ("ar", "rtl", "الرابط والرمز")]
)
def test_mail_is_in_the_language_and_falls_back_text_by_text(
    app: Flask, session: Session, locale: str, direction: str, subject: str
) -> None:
    mail = ask(app, make_recipient(session, f"mail.{locale}@example.se", locale=locale))
    assert mail.message["Subject"].startswith(subject)
    html = mail.message.get_body(("html",))
    assert html is not None
    assert f'<html lang="{locale}" dir="{direction}">' in html.get_content()
    assert "Here is the link you asked for." in html.get_content()


def test_a_text_that_lacks_a_form_is_in_english_as_a_whole(translations: Path) -> None:
    catalogue = load("pl", translations)
    message = catalogue.get(CLOSES[0])
    assert message is not None
    message.string = ("Ta strona zamknie się sama za %(num)s minutę.", "", "")
    assert b"zamknie" not in as_mo(as_po(catalogue), "pl")


@pytest.mark.parametrize("code", ["", "xx", "Polski", "../../etc", "pl-PL", "PL", "pl_", "åå"])
def test_a_code_that_is_no_language_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str) -> None:
    assert main(["add", code, str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_language_that_is_there_is_not_begun_again(translations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "pl", str(translations)]) == 1
    assert "there already" in capsys.readouterr().err
    assert main(["add"]) == main(["add", "pl", "a", "b"]) == main(["check", "x"]) == 2


def test_a_language_without_translations_stops_the_start_by_name(tmp_path: Path) -> None:
    environment = settings_environment(f"sqlite:///{tmp_path / 'x.db'}", LOCALES="sv,fi")
    with pytest.raises(ConfigurationError, match="there are no translations into fi"):
        create_app(environment, instance_path=tmp_path)


def test_stylesheets_name_no_side_of_the_page(root: Path) -> None:
    """Margins, borders and places follow the direction of the text; a float as wide as its box has no side."""
    for path in (root / "static" / "css").glob("*.css"):
        sides = re.findall(
            r"(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)|[ {](?:left|right):", path.read_text()
        )
        assert sides == [], path.name
