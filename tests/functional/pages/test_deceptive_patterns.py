"""No deceptive patterns: the acceptance criteria D1-D15 on the pages as they are rendered (EDPB 03/2022, L19)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, link, make_recipient
from tests.support.catalogues import load
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get, words
from tests.support.visits import confirmations, preferences_url

MOST_BYTES = 50_000


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who consented to marketing."""
    found = make_recipient(session, locale="sv")
    act(session, found, "marketing")
    return found


@pytest.fixture
def page(client: StrictClient, anna: RecipientView) -> Page:
    """Her preference centre."""
    return get(client, preferences_url(anna))


def all_pages(client: StrictClient, session: Session, anna: RecipientView) -> list[Page]:
    """Every page of a journey: choices, saved, asked, stopped, confirm, old link, landing, policy, errors."""
    path = preferences_url(anna)
    centre = get(client, path)
    pages = [
        centre,
        follow(client, centre.form("save").submit(client, {"answer-events": "no", "answer-surveys": "yes"})),
    ]
    number = confirmations(session)[-1].id
    pages.append(get(client, f"/c/{link(anna, capability=Capability.CONFIRM, reference=number)}"))
    pages.append(get(client, path))
    pages.append(follow(client, centre.form("stop").submit(client)))
    pages.append(get(client, path))
    pages.append(get(client, preferences_url(anna, epoch=anna.link_epoch + 1)))
    headers = {"Accept-Language": "sv"}
    return pages + [
        get(client, other, **headers) for other in ("/", "/sent", "/policy", "/cookies", "/nowhere", "/p/x")
    ]


def test_d1_one_page_shows_every_choice_and_does_not_ask_again_after_a_no(
    client: StrictClient, page: Page, anna: RecipientView
) -> None:
    assert len(page.answers()) == 9
    page.form("save").submit(client, {f"answer-{key}": "no" for key in page.answers()})
    again = get(client, preferences_url(anna))
    assert set(again.answers().values()) == {"no"}
    assert again.all("dialog") == []
    assert again.all("div", role="alert") == []


def test_d2_stop_everything_comes_before_everything_else(page: Page) -> None:
    assert page.forms()[0].fields["action"] == "stop"
    before = page.text[: page.position("Stoppa alla utskick")]
    assert len(before) < 120


def test_d3_unset_is_unticked_and_differs_from_no(client: StrictClient, page: Page, anna: RecipientView) -> None:
    assert page.answers()["surveys"] == "unset"
    page.form("save").submit(client, {"answer-surveys": "no"})
    assert get(client, preferences_url(anna)).answers()["surveys"] == "no"


def test_d4_no_reason_is_asked_before_or_with_an_opt_out(page: Page) -> None:
    for form in page.forms():
        names = {one.get("name", "") for one in form.element.iter() if one.get("name")}
        assert not any("reason" in name for name in names)
        assert list(form.element.iter("textarea")) == []


def test_d5_yes_and_no_are_made_alike_and_in_the_same_order(page: Page, root: Path) -> None:
    for key in page.answers():
        yes, no = page.find("fieldset", id=f"choice-{key}").iter("label")
        assert (words(yes), words(no)) == ("Ja", "Nej")
        assert yes.attrib == no.attrib == {}
    css = (root / "static/css/site.css").read_text()
    assert not re.search(r"\.pair label:(nth|first|last)|value=[\"']?(yes|no)", css)


def test_d5_nothing_is_said_to_hold_anybody_back(client: StrictClient, session: Session, anna: RecipientView) -> None:
    for page in all_pages(client, session, anna):
        assert not re.search(r"\b(missa|förlora|tråkigt|ledsen|synd att|sakna dig|säker på)", page.text, re.IGNORECASE)
        assert all("logo" in one.get("src", "") for one in page.all("img"))


def test_d6_opting_out_is_open_and_one_submit(client: StrictClient, page: Page, anna: RecipientView) -> None:
    form = page.form("stop")
    assert [one.get("type") for one in form.element.iter("input")] == ["hidden", "hidden"]
    assert len(list(form.element.iter("button"))) == 1
    form.submit(client)
    assert "Du har stoppat alla utskick" in get(client, preferences_url(anna)).text


def test_d7_pausing_comes_after_opting_out_and_keeps_no_one_from_it(page: Page) -> None:
    actions = [form.fields.get("action") for form in page.forms()]
    assert actions.index("stop") < actions.index("save") < actions.index("pause")


def test_d8_every_page_leads_on(client: StrictClient, session: Session, anna: RecipientView) -> None:
    for page in all_pages(client, session, anna):
        content = page.find("main")
        assert [*content.iter("a"), *content.iter("form")] or page.title.startswith("Kakor"), page.title
        assert page.all("a", href="/"), page.title


def test_d9_everything_works_without_javascript(client: StrictClient, session: Session, anna: RecipientView) -> None:
    for page in all_pages(client, session, anna):
        assert page.all("script") == []
        assert not [one for one in page.root.iter() for name in one.attrib if name.startswith("on") or name == "style"]
        assert all(list(form.element.iter("button")) for form in page.forms())


def test_d10_effect_is_immediate_and_honestly_stated(client: StrictClient, page: Page) -> None:
    told = follow(client, page.form("stop").submit(client))
    assert "Det gäller genast. Ett mejl som redan är på väg kan ändå komma fram." in told.text


def test_d11_one_control_throughout_and_consent_apart_from_objection(
    client: StrictClient, session: Session, page: Page, anna: RecipientView
) -> None:
    assert page.all("input", type="checkbox") == []
    assert page.all("select") == []
    assert "samtyck" in page.choice("marketing").lower()
    assert "invänt" in page.choice("events")
    assert "invänt" not in page.choice("surveys")
    act(session, anna, "events", Act.OBJECTED)
    assert "Du invände" in get(client, preferences_url(anna)).choice("events")


def test_d12_opting_out_enables_nothing(client: StrictClient, page: Page, anna: RecipientView) -> None:
    before = page.answers()
    page.form("save").submit(client, {"answer-events": "no"})
    after = get(client, preferences_url(anna)).answers()
    assert after == before | {"events": "no"}


@pytest.mark.parametrize(("language", "other"), [("sv", "en"), ("en", "sv")])
def test_d13_one_language_from_end_to_end(
    client: StrictClient, session: Session, anna: RecipientView, language: str, other: str
) -> None:
    """No text of the other catalogue stands on a page; words that both languages share do not count."""
    swedish = load("sv")
    pairs = [
        (str(message.id), str(message.string))
        for message in swedish
        if isinstance(message.id, str)
        and len(message.id) > 14
        and "%" not in message.id
        and message.string not in {"", message.id}
    ]
    foreign = [pair[0] if other == "en" else pair[1] for pair in pairs]
    path = preferences_url(anna) + f"?lang={language}"
    page = get(client, path)
    told = follow(client, page.form("save").submit(client, {"answer-events": "no", "answer-surveys": "yes"}))
    wrong = Page(page.form("pause").submit(client, {"length": "date"}))
    for found in (page, told, wrong, get(client, f"/p/x?lang={language}"), get(client, f"/?lang={language}")):
        assert found.language == language
        assert [text for text in foreign if text in found.text] == []


def test_d14_purpose_basis_and_consequence_stand_beside_each_control(page: Page) -> None:
    for key in page.answers():
        text = page.choice(key)
        for word in ("Varför", "Rättslig grund", "Vem", "Hur länge"):
            assert word in text, (key, word)
        control = page.find("fieldset", id=f"choice-{key}")
        state = page.find("p", id=control.get("aria-describedby", ""))
        assert words(state)
    assert "Svar på dina frågor, kvitton och mejl om sådant du har beställt" in page.text


def test_d15_confirmation_says_exactly_what_changed_with_undo(client: StrictClient, page: Page) -> None:
    told = follow(client, page.form("save").submit(client, {"answer-events": "no"}))
    assert [words(one) for one in told.find("ul").iter("strong")] == ["Inbjudningar till evenemang"]
    assert told.form("undo")


def test_l1_consents_are_never_bundled(page: Page) -> None:
    names = [one.get("name") for one in page.all("input", type="radio")]
    assert all(names.count(name) == 2 for name in names if name and name.startswith("answer-"))


def test_l7_controller_rights_and_supervisory_authority_are_told(page: Page) -> None:
    assert "Exempelbolaget AB är ansvarig för dina personuppgifter" in page.text
    assert "Integritetsskyddsmyndigheten (IMY)" in page.text
    assert page.all("a", href="https://www.imy.se/")


def test_l13_right_to_object_stands_clearly_and_apart(page: Page) -> None:
    section = next(one for one in page.all("section") if one.get("class") == "right")
    assert words(section).startswith("Din rätt att invända")
    assert page.position("Din rätt att invända") < page.position("E-post från oss")


def test_page_with_its_styles_stays_under_fifty_kilobytes(client: StrictClient, page: Page) -> None:
    size = len(page.response.data)
    for sheet in page.all("link"):
        response = client.get(sheet.get("href", ""))
        size += len(response.data)
        response.close()
    assert size < MOST_BYTES


def test_every_field_has_a_name_that_is_read_out(client: StrictClient, session: Session, anna: RecipientView) -> None:
    for page in all_pages(client, session, anna):
        labelled = {one.get("for") for one in page.all("label")}
        inside = {id(field) for label in page.all("label") for field in label.iter("input")}
        for field in page.all("input"):
            assert field.get("type") == "hidden" or field.get("id") in labelled or id(field) in inside
        ids = [one.get("id") for one in page.root.iter() if one.get("id")]
        assert len(ids) == len(set(ids)), page.title
        assert len(page.all("h1")) == 1
