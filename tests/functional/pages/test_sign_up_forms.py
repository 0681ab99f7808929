"""`flask forms`: hosted forms, and the HTML that another site pastes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import html5lib
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.sign_ups import fill_in, link_in, mail_after, press, sign_ups
from tests.support.visits import entries

HEADINGS = ("--heading", "sv=Veckobrevet", "--heading", "en=The weekly letter")


def run(app: Flask, *arguments: str) -> Result:
    """Run `flask forms …`."""
    return app.test_cli_runner().invoke(args=["forms", *arguments])


def add(app: Flask, key: str = "weekly", *purposes: str) -> Result:
    """Add a form."""
    chosen = [part for one in purposes or ("surveys", "product_news") for part in ("--purpose", one)]
    return run(app, "add", key, *chosen, *HEADINGS)


def embedded(app: Flask, *arguments: str) -> Element:
    """The pasted form inside another site's page, read as strictly as a validator would."""
    done = run(app, "embed", *arguments)
    assert done.exit_code == 0, done.output
    page = f"<!DOCTYPE html><html lang='sv'><head><title>x</title></head><body>{done.stdout}</body></html>"
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    found = root.find(".//form")
    assert found is not None
    return found


def fields_of(form: Element) -> dict[str, str]:
    """What a browser would send of it with nothing filled in."""
    return {one.get("name", ""): one.get("value", "") for one in form.iter("input") if one.get("type") != "checkbox"}


def test_a_form_has_its_own_heading_and_purposes(app: Flask, client: StrictClient) -> None:
    done = add(app)
    assert done.output == "weekly added: https://preferences.example/subscribe/weekly\n"
    page = get(client, "/subscribe/weekly")
    assert page.title.startswith("Veckobrevet")
    assert get(client, "/subscribe/weekly?lang=en").title.startswith("The weekly letter")
    names = [box.get("name") for box in page.all("input", type="checkbox")]
    assert names == ["purpose-product_news", "purpose-surveys"]


def test_what_was_asked_there_is_recorded_under_its_name(app: Flask, client: StrictClient, session: Session) -> None:
    add(app)
    fill_in(client, "anna@example.se", "surveys", path="/subscribe/weekly")
    press(client, link_in(mail_after(app)))
    assert sign_ups(session)[0].form_key == "weekly"
    assert len(entries(session)) == 1


def test_forms_are_listed(app: Flask) -> None:
    add(app)
    assert run(app, "list").output.splitlines()[0].startswith("news")
    listed = json.loads(run(app, "list", "--json").output)
    assert [one["key"] for one in listed] == ["news", "weekly"]
    assert listed[1]["purposes"] == ["surveys", "product_news"]


def test_an_archived_form_is_closed_and_what_waits_still_confirms(
    app: Flask, client: StrictClient, session: Session
) -> None:
    add(app)
    fill_in(client, "anna@example.se", "surveys", path="/subscribe/weekly")
    for _ in range(2):
        assert run(app, "archive", "weekly").exit_code == 0
    assert client.get("/subscribe/weekly").status_code == 404
    press(client, link_in(mail_after(app)))
    assert len(entries(session)) == 1
    assert [one["key"] for one in json.loads(run(app, "list", "--json").output)] == ["news"]
    assert "archived" in run(app, "list", "--archived").output


def test_the_form_at_subscribe_can_be_closed_too(app: Flask, client: StrictClient) -> None:
    assert run(app, "archive", "news").exit_code == 0
    assert client.get("/subscribe").status_code == 404
    assert json.loads(run(app, "list", "--json").output) == []


def test_the_form_at_subscribe_can_be_replaced(app: Flask, client: StrictClient) -> None:
    assert add(app, "news", "surveys").exit_code == 0
    (box,) = get(client, "/subscribe").all("input", type="checkbox")
    assert box.get("name") == "purpose-surveys"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Weekly", "--purpose", "surveys", *HEADINGS), "A form's key is"),
        (("sent", "--purpose", "surveys", *HEADINGS), "A form's key is"),
        (("weekly", "--purpose", "nothing", *HEADINGS), "There is no purpose"),
        (("weekly", "--purpose", "events", *HEADINGS), "events cannot be signed up for"),
        (("weekly", "--purpose", "photo_marketing", *HEADINGS), "photo_marketing cannot be signed up for"),
        (("weekly", "--purpose", "surveys", "--purpose", "surveys", *HEADINGS), "each once"),
        (("weekly", "--purpose", "surveys", "--heading", "sv=X"), "no heading in en"),
        (("weekly", "--purpose", "surveys", *HEADINGS, "--heading", "sv=Y"), "each language once"),
        (("weekly", "--purpose", "surveys", "--heading", "X", "--heading", "en=Y"), "LANGUAGE=TEXT"),
        (("weekly", "--purpose", "surveys", "--heading", f"sv={'x' * 201}", "--heading", "en=Y"), "1 to 200"),
    ],
)
def test_what_cannot_be_a_form_is_one_line(app: Flask, arguments: tuple[str, ...], message: str) -> None:
    done = run(app, "add", *arguments)
    assert done.exit_code == 1
    assert message in done.output
    assert len(done.output.splitlines()) == 1


def test_a_key_is_given_once(app: Flask) -> None:
    add(app)
    assert "choose another key" in add(app).output
    run(app, "archive", "weekly")
    assert "choose another key" in add(app).output


def test_unknown_forms_are_one_line(app: Flask) -> None:
    for command in ("archive", "embed"):
        done = run(app, command, "nowhere")
        assert (done.exit_code, len(done.output.splitlines())) == (1, 1)
    assert "is not in PREFERENCES_LOCALES" in run(app, "embed", "news", "--language", "fi").output


def test_the_embedded_form_is_plain_html_with_nothing_ticked(app: Flask) -> None:
    html = run(app, "embed", "news").stdout
    assert not any(word in html for word in ("<script", "style=", " on", "<link", "<img", "<iframe", "cookie="))
    form = embedded(app, "news")
    assert form.get("action") == "https://preferences.example/subscribe/news?lang=sv"
    boxes = [one for one in form.iter("input") if one.get("type") == "checkbox"]
    assert len(boxes) == 3
    assert all("checked" not in one.attrib for one in boxes)
    words = "".join(form.itertext())
    assert "Nya produkter och funktioner" in words
    assert "Bara vi och de leverantörer" in words
    assert "Exempelbolaget AB är ansvarig" in words
    labelled = {one.get("for") for one in form.iter("label")}
    assert all(one.get("id") in labelled for one in form.iter("input") if one.get("type") != "hidden")


def test_the_embedded_form_signs_up_from_another_site_at_once(
    app: Flask, client: StrictClient, session: Session
) -> None:
    form = embedded(app, "news", "--language", "en")
    fields = {**fields_of(form), "address": "anna@example.se", "purpose-marketing": "yes", "submit": "Go"}
    other_site = {"Origin": "https://www.example.com", "Sec-Fetch-Site": "cross-site"}
    action = form.get("action", "").removeprefix("https://preferences.example")
    page = follow(client, client.post(action, data=fields, headers=other_site))
    assert (page.language, page.title.split(" –")[0]) == ("en", "One step left")
    press(client, link_in(mail_after(app)))
    (entry,) = entries(session)
    assert entry.locale == "en"
    assert entry.recorded_at <= datetime.now(UTC)


def test_programs_fall_for_the_hidden_field_of_the_embedded_form_too(
    app: Flask, client: StrictClient, session: Session
) -> None:
    fields = {**fields_of(embedded(app, "news")), "address": "a@example.se", "purpose-marketing": "yes"}
    assert client.post("/subscribe/news", data={**fields, "website": "x"}).status_code == 303
    assert sign_ups(session) == []


def test_a_pasted_form_of_an_old_key_leads_to_ours(app: Flask, client: StrictClient, session: Session) -> None:
    fields = {**fields_of(embedded(app, "news")), "seal": "embed.AAAAAAAAAAAAAAAAAAAAAA"}
    answer = client.post("/subscribe/news", data={**fields, "address": "anna@example.se", "purpose-marketing": "yes"})
    assert answer.status_code == 200
    assert "Titta en gång till" in answer.text
    assert 'value="anna@example.se"' in answer.text
    assert sign_ups(session) == []
