"""Writing texts in the admin pages: looked at first, published as a new version, nobody's words lost; new purposes, topics."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.catalogue import Described
from preferences.domain.purpose import LawfulBasis
from preferences.domain.roles import Role
from preferences.models.transaction import reading
from preferences.queries.purposes.notice_versions import published_purposes, published_version
from tests.factories import act, make_recipient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in

SURVEYS = "/admin/purposes/surveys/text"
NEW = "/admin/purposes/new-purpose"
FIELDS = ("title", "what", "why", "who", "how_long")
WORDS = {f"{name}-{locale}": f"{name} på {locale}" for name in FIELDS for locale in ("sv", "en")}


@pytest.fixture
def marketer(app: Flask, session: Session) -> StaffBrowser:
    """Somebody who works with purposes."""
    return signed_in(app, session, Role.MARKETER)


def form(**words: str) -> dict[str, str]:
    """A form that is published as it stands."""
    return {**WORDS, "lawful_basis": "consent", "based_on": "1", "do": "publish", **words}


def newest(key: str) -> Described:
    with reading() as session:
        found = published_version(session, key)
    assert found is not None
    return found.described


def known() -> set[str]:
    with reading() as session:
        return {one.purpose.key for one in published_purposes(session)}


def test_the_form_begins_with_the_words_of_the_newest(marketer: StaffBrowser) -> None:
    page = Page(marketer.get(SURVEYS))
    fields = page.forms()[-1].fields
    assert (fields["title-sv"], fields["title-en"], fields["based_on"]) == ("Enkäter", "Feedback surveys", "1")
    assert [one.get("value") for one in page.all("input", type="radio") if "checked" in one.attrib] == ["consent"]


def test_looking_at_it_first_shows_the_card_and_the_differences_and_publishes_nothing(marketer: StaffBrowser) -> None:
    page = Page(marketer.post(SURVEYS, form(do="preview", **{"title-sv": "Korta enkäter"})))
    assert "Korta enkäter" in page.choice("surveys-sv")
    assert "Du har inte svarat." in page.choice("surveys-sv")
    assert "You have not answered." in page.choice("surveys-en")
    assert "Korta" in " ".join(one.text or "" for one in page.all("ins"))
    assert page.forms()[-1].fields["title-sv"] == "Korta enkäter"
    assert newest("surveys").number == 1


def test_publishing_makes_a_new_version_and_leaves_the_old_as_it_was(session: Session, marketer: StaffBrowser) -> None:
    assert marketer.post(SURVEYS, form()).location == "/admin/purposes/surveys?done=published"
    assert newest("surveys").number == 2
    assert newest("surveys").texts["sv"].what == "what på sv"
    with reading() as looking:
        old = published_version(looking, "surveys", 1)
    assert old is not None
    assert old.described.texts["sv"].title == "Enkäter"
    assert audited(session)[-1] == "text_published"


@pytest.mark.parametrize(
    ("field", "value"),
    [("title-sv", ""), ("why-en", "   "), ("title-en", "x" * 201), ("who-sv", "x" * 4001), ("how_long-en", "\x00\x07")],
)
def test_what_is_missing_or_too_long_is_named_and_nothing_lost(marketer: StaffBrowser, field: str, value: str) -> None:
    answer = marketer.post(SURVEYS, form(**{field: value}))
    assert answer.status_code == 422
    page = Page(answer)
    assert page.all("a", href=f"#field-{field}")
    assert page.all("input", id=f"field-{field}") or page.all("textarea", id=f"field-{field}")
    assert page.title.startswith("Fel: ")
    assert "what på sv" in page.html
    assert newest("surveys").number == 1


def test_hostile_words_are_words(marketer: StaffBrowser) -> None:
    hostile = "<script>alert(1)</script> {{ 7*7 }} \u202e ' \" å 日本"
    assert marketer.post(SURVEYS, form(**{"what-sv": hostile})).status_code == 303
    for path in ("/admin/purposes/surveys", "/admin/purposes/surveys/preview", SURVEYS):
        text = marketer.get(path).text
        assert "<script>alert" not in text
        assert "49" not in Page(marketer.get("/admin/purposes/surveys/preview")).choice("surveys-sv")


def test_two_people_writing_lose_no_work(marketer: StaffBrowser) -> None:
    marketer.post(SURVEYS, form(**{"what-sv": "Någon annans ord."}))
    answer = marketer.post(SURVEYS, form(**{"what-sv": "Mina ord."}))
    assert answer.status_code == 409
    page = Page(answer)
    assert "Mina ord." in page.html
    assert "Någon annans ord." in page.text, "to compare with"
    assert page.forms()[-1].fields["based_on"] == "2"
    assert newest("surveys").number == 2
    assert marketer.post(SURVEYS, form(based_on="2", **{"what-sv": "Mina ord."})).status_code == 303


@pytest.mark.parametrize("based_on", ["", "0", "-1", "1e9", "9" * 40, "ett"])
def test_a_forged_beginning_is_a_conflict(marketer: StaffBrowser, based_on: str) -> None:
    assert marketer.post(SURVEYS, form(based_on=based_on)).status_code == 409
    assert newest("surveys").number == 1


def test_the_same_again_is_not_published(marketer: StaffBrowser) -> None:
    marketer.post(SURVEYS, form())
    assert marketer.post(SURVEYS, form(based_on="2")).status_code == 409
    assert newest("surveys").number == 2


def test_a_new_basis_is_published_only_by_somebody_who_saw_what_it_means(
    session: Session, marketer: StaffBrowser
) -> None:
    anna = make_recipient(session)
    act(session, anna, "surveys", Act.REFUSED)
    answer = marketer.post(SURVEYS, form(lawful_basis="legitimate_interest"))
    assert answer.status_code == 422
    page = Page(answer)
    assert "Alla som aldrig har svarat kommer med från det att du publicerar" in page.text
    assert page.all("input", id="field-sure")
    assert "Vi gör det för att vi har ett berättigat intresse." in page.choice("surveys-sv")
    assert newest("surveys").purpose.lawful_basis is LawfulBasis.CONSENT
    assert marketer.post(SURVEYS, form(lawful_basis="legitimate_interest", sure="1")).status_code == 303
    assert newest("surveys").purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST
    versions = Page(marketer.get("/admin/purposes/surveys")).find("table")
    assert versions is not None
    back = marketer.post(SURVEYS, form(based_on="2", do="preview"))
    assert "faller bort från det att du publicerar" in Page(back).text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lawful_basis": ""}, "lawful_basis"),
        ({"lawful_basis": "soft_opt_in"}, "lawful_basis"),
        ({"lawful_basis": "<b>"}, "lawful_basis"),
        ({"lawful_basis": "legitimate_interest", "customer_exception": "1", "sure": "1"}, "customer_exception"),
    ],
)
def test_a_basis_that_cannot_be_is_refused_in_words(marketer: StaffBrowser, change: dict[str, str], field: str) -> None:
    answer = marketer.post(SURVEYS, form(**change))
    assert answer.status_code == 422
    assert Page(answer).all("fieldset", id=f"field-{field}")
    assert newest("surveys").number == 1


def test_forms_that_would_lose_it_are_named(app: Flask, marketer: StaffBrowser) -> None:
    added = ["weekly", "--purpose", "surveys", "--heading", "sv=Veckan", "--heading", "en=Weekly"]
    assert app.test_cli_runner().invoke(args=["forms", "add", *added]).exit_code == 0
    page = Page(marketer.post(SURVEYS, form(lawful_basis="legitimate_interest", do="preview")))
    assert "erbjuder det inte längre: weekly." in page.text
    topic = Page(marketer.post("/admin/purposes/product_news/text", form(customer_exception="", do="preview")))
    assert "Ett ja till ”Nyheter och erbjudanden” gäller det här bara" in topic.text


def test_what_needs_consent_by_law_is_offered_and_taken_on_consent_alone(marketer: StaffBrowser) -> None:
    """L17: refused as soon as it is looked at, with every word still there; the same under it, and under marketing (L15)."""
    path = "/admin/purposes/photo_marketing/text"
    page = Page(marketer.get(path))
    assert [one.get("value") for one in page.all("input", name="lawful_basis")] == ["consent"]
    assert "Namn eller bild i reklam kräver samtycke" in page.text
    for do in ("preview", "publish"):
        answer = marketer.post(path, form(lawful_basis="legitimate_interest", sure="1", do=do))
        assert answer.status_code == 422
        assert "title på sv" in answer.text
    assert newest("photo_marketing").number == 1
    topic = {"key": "weekly", "under": "marketing", "lawful_basis": "legitimate_interest"}
    assert marketer.post(NEW, form(**topic)).status_code == 422
    assert "weekly" not in known()


def test_the_global_stop_gets_new_words_and_keeps_its_basis(marketer: StaffBrowser) -> None:
    path = "/admin/purposes/everything/text"
    assert not Page(marketer.get(path)).all("input", type="radio")
    assert marketer.post(path, form(lawful_basis="consent", customer_exception="1")).status_code == 303
    assert newest("everything").purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST
    assert newest("everything").texts["en"].title == "title på en"


def test_words_written_while_it_was_archived_are_still_there(marketer: StaffBrowser) -> None:
    marketer.post("/admin/purposes/surveys/archive", {"sure": "1"})
    answer = marketer.post(SURVEYS, form(**{"what-sv": "Mina ord."}))
    assert answer.status_code == 409
    assert "Mina ord." in answer.text
    assert marketer.get(SURVEYS).status_code == 404


def test_a_purpose_is_looked_at_then_added_last(session: Session, marketer: StaffBrowser) -> None:
    wanted = form(key="webinars", about="mail")
    page = Page(marketer.post(NEW, {**wanted, "do": "preview"}))
    assert "title på sv" in page.choice("webinars-sv")
    assert "webinars" not in known()
    assert marketer.post(NEW, wanted).location == "/admin/purposes/webinars?done=added"
    tree = Page(marketer.get("/admin/purposes"))
    assert tree.position("Inbjudningar till evenemang") < tree.position("title på sv") < tree.position("photos")
    assert audited(session)[-1] == "purpose_added"


def test_a_topic_stands_under_its_purpose_and_is_about_the_same(marketer: StaffBrowser) -> None:
    page = Page(marketer.get(f"{NEW}?under=photos"))
    assert "Ett nytt ämne under ”Namn och bild från utbildningar”" in page.text
    assert not page.all("input", name="about")
    answer = marketer.post(NEW, form(key="photo_voice", under="photos", about="mail"))
    assert answer.location == "/admin/purposes/photo_voice?done=added"
    one, photos = newest("photo_voice").purpose, newest("photos").purpose
    assert (one.parent_id, one.about) == (photos.id, photos.about)


@pytest.mark.parametrize(
    ("change", "field", "status"),
    [
        ({"key": "surveys"}, "key", 409),
        ({"key": "Webbinarier å"}, "key", 422),
        ({"key": ""}, "key", 422),
        ({"key": "x" * 70}, "key", 422),
        ({"key": "everything2", "about": "everything"}, "about", 422),
        ({"about": ""}, "about", 422),
        ({"lawful_basis": "soft_opt_in"}, "lawful_basis", 422),
        ({"about": "publication", "customer_exception": "1"}, "customer_exception", 422),
        ({"what-en": ""}, "what-en", 422),
    ],
)
def test_a_purpose_that_cannot_be_is_refused_in_words(
    marketer: StaffBrowser, change: dict[str, str], field: str, status: int
) -> None:
    before = known()
    answer = marketer.post(NEW, form(**{"key": "webinars", "about": "mail", **change}))
    assert answer.status_code == status
    page = Page(answer)
    assert page.all("a", href=f"#field-{field}")
    assert any(one.get("id") == f"field-{field}" for one in page.root.iter())
    assert "why på sv" in page.html, "nothing is typed twice"
    assert known() == before


def test_no_topic_under_a_topic_the_stop_or_nothing(marketer: StaffBrowser) -> None:
    for under in ("product_news", "everything", "nothing", "x" * 300):
        assert marketer.get(f"{NEW}?under={under}").status_code == 404
        assert marketer.post(NEW, form(key="webinars", under=under)).status_code == 404
    assert "webinars" not in known()


def test_a_topic_written_while_its_purpose_was_archived_is_not_lost(marketer: StaffBrowser) -> None:
    marketer.post("/admin/purposes/marketing/archive", {"sure": "1"})
    answer = marketer.post(NEW, form(key="webinars", under="marketing"))
    assert answer.status_code == 409
    assert "why på sv" in answer.text
    assert marketer.get(f"{NEW}?under=marketing").status_code == 404


def test_privacy_officer_publishes_texts_and_adds_no_purpose(app: Flask, session: Session) -> None:
    officer = signed_in(app, session, Role.PRIVACY_OFFICER)
    assert officer.post(SURVEYS, form()).status_code == 303
    assert officer.get(NEW).status_code == 403
    assert "/archive" not in officer.get("/admin/purposes/surveys").text
