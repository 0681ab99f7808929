"""The tree of purposes in the admin pages: looking, moving, versions with their differences, the preview, archiving."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.domain.eligibility import Reason, Refused
from preferences.domain.errors import InvalidValue, UnknownPurpose
from preferences.domain.purpose import About, LawfulBasis, NoticeText
from preferences.domain.roles import Role
from preferences.models.transaction import reading
from preferences.queries.choices.choices import standing
from preferences.queries.purposes.notice_versions import published_purposes, published_version, version_lines
from preferences.queries.purposes.purposes import catalogue
from preferences.services.purposes.purpose_order import Step, add_purpose_last, move_purpose
from preferences.services.purposes.purposes import NewPurpose, archive_purpose, publish_version
from tests.factories import act, link, make_recipient, purpose
from tests.support.page import Page, words
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.statements import statements

TEXTS = [
    NoticeText("sv", "Enkäter", "Vi frågar en gång om året.", "För att bli bättre.", "Bara vi.", "I två år."),
    NoticeText("en", "Surveys", "We ask once a year.", "To get better.", "Only us.", "For two years."),
]


@pytest.fixture
def marketer(app: Flask, session: Session) -> StaffBrowser:
    """Somebody who works with purposes."""
    return signed_in(app, session, Role.MARKETER)


def keys() -> list[str]:
    """All keys in the order of pages."""
    with reading() as session:
        return [one.purpose.key for one in published_purposes(session)]


def test_the_tree_shows_every_purpose_with_basis_version_and_languages(marketer: StaffBrowser) -> None:
    page = Page(marketer.get("/admin/purposes"))
    assert len(page.all("table")) == 3, "mail, name and image, the global stop"
    row = words(page.find("tr", id="purpose-product_news"))
    for expected in ("Produktnyheter", "product_news", "Samtycke", "eller kundundantaget", "svenska, engelska"):
        assert expected in row
    assert "Berättigat intresse" in words(page.find("tr", id="purpose-events"))
    assert page.position("Nyheter och erbjudanden") < page.position("Produktnyheter") < page.position("Enkäter")


def test_a_missing_language_is_pointed_out(session: Session, now: datetime, marketer: StaffBrowser) -> None:
    publish_version(session, "surveys", texts=TEXTS[:1], lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    assert "finns inte på engelska" in words(Page(marketer.get("/admin/purposes")).find("tr", id="purpose-surveys"))
    assert "finns inte på engelska" in Page(marketer.get("/admin/purposes/surveys")).text


def test_archived_ones_are_shown_on_demand(session: Session, now: datetime, marketer: StaffBrowser) -> None:
    archive_purpose(session, "marketing", now=now)
    session.commit()
    page = Page(marketer.get("/admin/purposes"))
    assert not page.all("tr", id="purpose-product_news")
    assert "Visa även 3 arkiverade" in page.text
    page = Page(marketer.get("/admin/purposes?archived=1"))
    assert "arkiverat" in words(page.find("tr", id="purpose-product_news"))
    assert not any("/product_news/move" in form.path for form in page.forms())
    assert "Arkiverat" not in page.title


def test_moving_changes_places_with_the_neighbour_and_recipients_see_it(
    session: Session, marketer: StaffBrowser
) -> None:
    anna = make_recipient(session)
    answer = marketer.post("/admin/purposes/events/move", {"step": "up"})
    assert answer.location == "/admin/purposes?done=moved#purpose-events"
    assert keys().index("events") < keys().index("surveys")
    shown = Page(marketer.client.get(f"/p/{link(anna, capability=Capability.PREFERENCES)}"))
    assert shown.position("Inbjudningar till evenemang") < shown.position("Enkäter")
    assert audited(session)[-1] == "purpose_changed"
    marketer.post("/admin/purposes/photo_marketing/move", {"step": "up"})
    order = keys()
    assert order.index("photo_name") < order.index("photo_marketing") < order.index("photo_image")
    assert "Ordningen är ändrad." in marketer.get("/admin/purposes?done=moved").text


def test_those_at_the_end_stay_and_offer_no_button(session: Session, marketer: StaffBrowser) -> None:
    before = keys()
    assert marketer.post("/admin/purposes/marketing/move", {"step": "up"}).status_code == 303
    assert marketer.post("/admin/purposes/photos/move", {"step": "down"}).status_code == 303
    assert sorted(keys()) == sorted(before)
    assert [one for one in keys() if one in {"marketing", "surveys", "events"}] == ["marketing", "surveys", "events"]
    paths = {
        (form.path, form.fields["step"])
        for form in Page(marketer.get("/admin/purposes")).forms()
        if "step" in form.fields
    }
    assert ("/admin/purposes/marketing/move", "up") not in paths
    assert ("/admin/purposes/marketing/move", "down") in paths
    assert not any("/photos/move" in path for path, _ in paths), "alone in its group"


def test_an_archived_neighbour_is_stepped_over_and_the_stop_has_no_place(session: Session, now: datetime) -> None:
    archive_purpose(session, "surveys", now=now)
    move_purpose(session, "events", Step.UP)
    session.commit()
    assert keys().index("events") < keys().index("marketing")
    for key in ("everything", "surveys"):
        with pytest.raises(InvalidValue):
            move_purpose(session, key, Step.UP)
    with pytest.raises(UnknownPurpose):
        move_purpose(session, "nothing", Step.DOWN)


@pytest.mark.parametrize("step", ["", "sideways", "UP", "ü" * 5000])
def test_a_step_that_is_none_moves_nothing(marketer: StaffBrowser, step: str) -> None:
    before = keys()
    assert marketer.post("/admin/purposes/events/move", {"step": step}).status_code == 400
    assert keys() == before


def test_a_version_stands_beside_what_changed_since_the_last(
    session: Session, now: datetime, marketer: StaffBrowser
) -> None:
    publish_version(session, "surveys", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now)
    twice = [
        TEXTS[0],
        NoticeText("en", "Surveys", "We ask twice a year.", "To get better.", "Only us.", "For two years."),
    ]
    publish_version(session, "surveys", texts=twice, lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    page = Page(marketer.get("/admin/purposes/surveys"))
    assert ([one.text for one in page.all("del")], [one.text for one in page.all("ins")]) == (["once "], ["twice "])
    assert "Jämfört med version 2" in page.text
    first = Page(marketer.get("/admin/purposes/surveys/versions/1"))
    assert "En äldre version" in first.text
    assert not first.all("del")
    assert "Senaste version" not in first.title
    with reading() as looking:
        assert [one.number for one in version_lines(looking, purpose(session, "surveys").id)] == [3, 2, 1]
        assert published_version(looking, "surveys", 2**40) is None


def test_preview_is_the_recipients_own_card_in_every_language(session: Session, marketer: StaffBrowser) -> None:
    anna = make_recipient(session, locale="sv")
    seen = Page(marketer.client.get(f"/p/{link(anna, capability=Capability.PREFERENCES)}"))
    page = Page(marketer.get("/admin/purposes/photos/preview"))
    for key in ("photos", "photo_name", "photo_image", "photo_marketing"):
        assert page.choice(f"{key}-sv") == seen.choice(key), "word for word what Anna sees"
    assert "You have not answered." in page.choice("photo_marketing-en")
    assert page.answers()["photo_marketing-en"] == "unset"
    assert page.answers()["photo_name-sv"] == "yes", "legitimate interest: until they object"
    assert not [form for form in page.forms() if "/p/" in form.path], "it can do nothing"
    assert "Stoppa alla utskick" in Page(marketer.get("/admin/purposes/everything/preview")).text
    assert page.choice("photo_name-sv") == Page(marketer.get("/admin/purposes/photo_name/preview")).choice(
        "photo_name-sv"
    )


def test_archiving_is_looked_at_first_and_goes_on_stopping(
    session: Session, now: datetime, marketer: StaffBrowser
) -> None:
    anna = make_recipient(session)
    act(session, anna, "product_news", Act.WITHDRAWN)
    path = "/admin/purposes/marketing/archive"
    asked = Page(marketer.get(path))
    assert "Arkivera ”Nyheter och erbjudanden”?" in asked.text
    assert "Ämnena följer med: Produktnyheter, " in asked.text
    assert "De här anmälningsformulären erbjuder det inte längre: news." in asked.text
    assert marketer.post(path).status_code == 400, "not without the review step"
    assert not purpose(session, "marketing").is_archived
    assert marketer.post(path, {"sure": "1", "reason": "Slutar."}).location == "/admin/purposes/marketing?done=archived"
    assert marketer.post(path, {"sure": "1"}).status_code == 303, "again changes nothing"
    known = catalogue(session)
    assert known.by_key("product_news").purpose.is_archived
    where = standing(session, recipient_id=anna.id, status=anna.status, address_index=anna.address_index)
    assert where.choices, "nothing is deleted"
    assert where.decide(known.path("product_news"), now) == Refused(Reason.PURPOSE_ARCHIVED)
    page = Page(marketer.get("/admin/purposes/marketing?done=archived"))
    assert "Arkiverat den" in page.text
    assert path not in page.html
    assert "purpose_archived" in audited(session)


def test_the_global_stop_cannot_be_archived_from_here(session: Session, marketer: StaffBrowser) -> None:
    assert marketer.get("/admin/purposes/everything/archive").status_code == 404
    assert marketer.post("/admin/purposes/everything/archive", {"sure": "1"}).status_code == 400
    assert "/admin/purposes/everything/archive" not in marketer.get("/admin/purposes/everything").text


@pytest.mark.parametrize("key", ["nothing", "%C3%A5%C3%A4", "x" * 300, "a%00b", "marketing'--"])
def test_what_is_not_there_is_not_found(marketer: StaffBrowser, key: str) -> None:
    for below in ("", "/preview", "/archive", "/text", "/versions/1"):
        assert marketer.get(f"/admin/purposes/{key}{below}").status_code == 404
    assert marketer.post(f"/admin/purposes/{key}/archive", {"sure": "1"}).status_code == 404
    assert marketer.post(f"/admin/purposes/{key}/move", {"step": "up"}).status_code == 404
    assert marketer.get("/admin/purposes/surveys/versions/99").status_code == 404


def test_a_viewer_looks_and_is_offered_nothing_else(app: Flask, session: Session) -> None:
    viewer = signed_in(app, session, Role.VIEWER)
    page = Page(viewer.get("/admin/purposes"))
    assert not any("step" in form.fields for form in page.forms())
    assert "/admin/purposes/new-purpose" not in page.html
    one = viewer.get("/admin/purposes/surveys").text
    assert "/admin/purposes/surveys/text" not in one
    assert "/admin/purposes/surveys/archive" not in one
    assert viewer.get("/admin/purposes/surveys/preview").status_code == 200


def test_pages_cost_the_same_few_statements_however_many_purposes(
    app: Flask, session: Session, now: datetime, marketer: StaffBrowser
) -> None:
    for number in range(30):
        key = f"topic_{number}"
        new = NewPurpose(
            key=key, about=About.MAIL, lawful_basis=LawfulBasis.CONSENT, texts=TEXTS, parent_key="marketing"
        )
        add_purpose_last(session, new, now=now)
        publish_version(session, key, texts=TEXTS[:1], lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    for path in ("", "/marketing", "/topic_7", "/marketing/preview", "/marketing/text", "/marketing/archive"):
        with statements(app) as seen:
            assert marketer.get(f"/admin/purposes{path}").status_code == 200
        assert len(seen) <= 15, (path, len(seen))
    assert keys().index("topic_29") == keys().index("topic_28") + 1, "a new one stands last"
