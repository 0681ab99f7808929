"""Purposes and their notices: complete, versioned, archived and never deleted (L1–L3, T25)."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.basis_rules import BasisNotAllowed
from preferences.domain.eligibility import Reason, Refused
from preferences.domain.errors import Conflict, InvalidValue, UnknownPurpose
from preferences.domain.purpose import About, LawfulBasis, NoticeText
from preferences.models.purpose import NoticeVersionRow, PurposeRow
from preferences.models.transaction import reading, transaction
from preferences.queries.choices.choices import choice_of, standing
from preferences.queries.purposes.purposes import catalogue
from preferences.services.choices.suppression import suppress
from preferences.services.purposes.builtin_purposes import ensure_builtin_purposes, load_builtin_purposes
from preferences.services.purposes.purposes import NewPurpose, add_purpose, archive_purpose, publish_version
from tests.factories import act, make_recipient, purpose

TEXTS = [
    NoticeText("sv", "Webbinarier", "Vi bjuder in dig.", "För att visa.", "Bara vi.", "Tills du tackar nej."),
    NoticeText("en", "Webinars", "We invite you.", "To show you.", "Only us.", "Until you say no."),
]
INTEREST = LawfulBasis.LEGITIMATE_INTEREST
NEW = NewPurpose(key="webinars", about=About.MAIL, lawful_basis=LawfulBasis.CONSENT, texts=TEXTS)

OTHER = [replace(text, why="Because.") for text in TEXTS]


def test_added_purpose_is_known_with_its_texts(session: Session, now: datetime) -> None:
    add_purpose(session, NEW, now=now)
    session.commit()
    found = catalogue(session).by_key("webinars")
    assert found.number == 1
    assert found.text("en", "sv") == TEXTS[1]


def test_purpose_is_known_to_others_once_committed_and_not_before(session: Session, now: datetime) -> None:
    add_purpose(session, NEW, now=now)
    assert "webinars" in {one.purpose.key for one in catalogue(session).all()}, "seen by the transaction itself"
    with reading() as other:
        assert "webinars" not in {one.purpose.key for one in catalogue(other).all()}
    session.rollback()
    with reading() as other:
        assert "webinars" not in {one.purpose.key for one in catalogue(other).all()}
    add_purpose(session, NEW, now=now)
    with reading() as other:
        catalogue(other)
    session.commit()
    with reading() as other:
        assert "webinars" in {one.purpose.key for one in catalogue(other).all()}


@pytest.mark.parametrize(
    ("change", "error", "pointer"),
    [
        ({"key": "marketing"}, Conflict, "/key"),
        ({"key": "Webinars"}, InvalidValue, "/key"),
        ({"key": "1webinars"}, InvalidValue, "/key"),
        ({"key": "web-inars"}, InvalidValue, "/key"),
        ({"key": "webinars\n"}, InvalidValue, "/key"),
        ({"key": "w" * 65}, InvalidValue, "/key"),
        ({"key": ""}, InvalidValue, "/key"),
        ({"about": About.EVERYTHING}, InvalidValue, "/about"),
        ({"parent_key": "nothing"}, UnknownPurpose, "/parent"),
        ({"parent_key": "product_news"}, InvalidValue, "/parent"),
        ({"parent_key": "photos"}, InvalidValue, "/parent"),
        ({"lawful_basis": LawfulBasis.SOFT_OPT_IN}, InvalidValue, "/lawful_basis"),
        (
            {"lawful_basis": LawfulBasis.LEGITIMATE_INTEREST, "customer_exception": True},
            InvalidValue,
            "/customer_exception",
        ),
        ({"parent_key": "marketing", "lawful_basis": INTEREST}, BasisNotAllowed, "/lawful_basis"),
        ({"texts": []}, InvalidValue, "/texts"),
        ({"texts": [TEXTS[0], TEXTS[0]]}, InvalidValue, "/texts/sv"),
        ({"texts": [replace(TEXTS[0], locale="Svenska")]}, InvalidValue, "/texts/Svenska"),
        ({"texts": [replace(TEXTS[0], why="  ")]}, InvalidValue, "/texts/sv/why"),
        ({"texts": [replace(TEXTS[0], title="x" * 201)]}, InvalidValue, "/texts/sv/title"),
        ({"texts": [replace(TEXTS[0], who="a\x00b")]}, InvalidValue, "/texts/sv/who"),
    ],
)
def test_purpose_that_cannot_be_is_refused(
    session: Session, now: datetime, change: dict[str, object], error: type[InvalidValue], pointer: str
) -> None:
    with pytest.raises(error) as refused:
        add_purpose(session, replace(NEW, **change), now=now)  # type: ignore[arg-type]
    assert refused.value.pointer == pointer
    session.rollback()
    assert "webinars" not in session.scalars(select(PurposeRow.key)).all()


def test_topic_cannot_be_added_under_an_archived_purpose(session: Session, now: datetime) -> None:
    archive_purpose(session, "marketing", now=now)
    with pytest.raises(Conflict, match="archived"):
        add_purpose(session, replace(NEW, parent_key="marketing"), now=now)


def test_archiving_deletes_nothing_and_goes_on_refusing(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    act(session, anna, "product_news", Act.WITHDRAWN)
    suppress(
        session,
        address_index=anna.address_index or b"",
        reason="complaint",  # type: ignore[arg-type]
        source="esp:test",
        now=now,
        purpose_id=purpose(session, "product_news").id,
    )
    path = catalogue(session).path("product_news")
    archive_purpose(session, "marketing", now=now)
    session.commit()
    known = catalogue(session)
    assert known.by_key("product_news").purpose.is_archived, "topics go with their purpose"
    assert known.by_key("service_news").purpose.is_archived
    assert choice_of(session, anna.id, path[-1].id).act is Act.WITHDRAWN
    where = standing(session, recipient_id=anna.id, status=anna.status, address_index=anna.address_index)
    assert len(where.suppressions) == 1
    assert where.decide(known.path("product_news"), now) == Refused(Reason.PURPOSE_ARCHIVED)


def test_key_of_an_archived_purpose_is_never_used_again(session: Session, now: datetime) -> None:
    archive_purpose(session, "surveys", now=now)
    with pytest.raises(Conflict, match="archived ones keep their keys"):
        add_purpose(session, replace(NEW, key="surveys"), now=now)


def test_archiving_twice_keeps_the_first_time(session: Session, now: datetime) -> None:
    archive_purpose(session, "surveys", now=now)
    archive_purpose(session, "surveys", now=now.replace(year=now.year + 1))
    assert session.scalar(select(PurposeRow.archived_at).where(PurposeRow.key == "surveys")) == now


def test_global_stop_cannot_be_archived(session: Session, now: datetime) -> None:
    with pytest.raises(InvalidValue):
        archive_purpose(session, "everything", now=now)


def test_purpose_in_use_cannot_be_deleted_from_the_database(session: Session) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError):
        session.execute(text("DELETE FROM purposes WHERE key = 'marketing'"))


def test_new_wording_is_a_new_version_and_the_old_one_stays_as_shown(session: Session, now: datetime) -> None:
    before = purpose(session, "surveys")
    assert publish_version(session, "surveys", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now) == 2
    session.commit()
    after = catalogue(session).by_key("surveys")
    assert (after.number, after.text("sv", "sv").title) == (2, "Webbinarier")
    assert after.purpose.notice_version_id != before.notice_version_id
    old = session.get(NoticeVersionRow, before.notice_version_id)
    assert old is not None
    assert {one.title for one in old.texts} == {"Enkäter", "Feedback surveys"}


def test_new_basis_is_a_new_version(session: Session, now: datetime) -> None:
    publish_version(session, "events", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    assert purpose(session, "events").lawful_basis is LawfulBasis.CONSENT
    rows = session.scalars(select(NoticeVersionRow).where(NoticeVersionRow.purpose_id == purpose(session, "events").id))
    assert [row.lawful_basis for row in rows] == [LawfulBasis.LEGITIMATE_INTEREST, LawfulBasis.CONSENT]


def test_customer_exception_follows_new_wording_but_not_another_basis(session: Session, now: datetime) -> None:
    add_purpose(session, replace(NEW, customer_exception=True), now=now)
    publish_version(session, "webinars", texts=OTHER, lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    assert purpose(session, "webinars").customer_exception
    publish_version(session, "webinars", texts=TEXTS, lawful_basis=INTEREST, now=now)
    session.commit()
    assert not purpose(session, "webinars").customer_exception


@pytest.mark.parametrize("key", ["photo_marketing", "marketing", "product_news"])
def test_what_needs_consent_by_law_cannot_be_moved_to_another_basis(
    app: Flask, session: Session, tmp_path: Path, now: datetime, key: str
) -> None:
    """L15, L17: neither by the service nor by a file."""
    with pytest.raises(BasisNotAllowed) as refused:
        publish_version(session, key, texts=TEXTS, lawful_basis=INTEREST, now=now)
    assert refused.value.pointer == "/lawful_basis"
    session.rollback()
    words = {field.name: "x" for field in fields(NoticeText) if field.name != "locale"}
    entry = load_builtin_purposes()[key]
    texts = {"sv": words, "en": words}
    wanted = {name: value for name, value in entry.items() if name in {"about", "parent"}}
    (tmp_path / "p.json").write_text(
        json.dumps({"key": key, **wanted, "lawful_basis": "legitimate_interest", "texts": texts})
    )
    ran = app.test_cli_runner().invoke(args=["purposes", "publish", str(tmp_path / "p.json")])
    assert ran.exit_code == 1
    assert f"'{key}' can rest on consent alone" in ran.stderr
    assert catalogue(session).by_key(key).number == 1


def test_version_that_says_nothing_new_is_refused(session: Session, now: datetime) -> None:
    publish_version(session, "surveys", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now)
    with pytest.raises(Conflict, match="already"):
        publish_version(session, "surveys", texts=TEXTS[::-1], lawful_basis=LawfulBasis.CONSENT, now=now)


def test_nothing_new_is_said_about_an_archived_purpose(session: Session, now: datetime) -> None:
    archive_purpose(session, "surveys", now=now)
    with pytest.raises(Conflict, match="archived"):
        publish_version(session, "surveys", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now)


def test_builtin_purposes_are_complete_in_both_languages() -> None:
    found = load_builtin_purposes()
    assert set(found) >= {"everything", "marketing", "surveys", "events", "photos", "photo_name", "photo_image"}
    for key, entry in found.items():
        assert set(entry["texts"]) == {"sv", "en"}, key
        for locale, texts in entry["texts"].items():
            assert set(texts) == {"title", "what", "why", "who", "how_long"}, f"{key}.{locale}"
            assert all(value.strip() == value and value for value in texts.values()), f"{key}.{locale}"


@pytest.mark.parametrize("locale", ["sv", "en"])
def test_builtin_wording_is_positive_and_names_the_right_it_gives(locale: str) -> None:
    """D11: positive labels, at most one negation; «samtycke» for consent, «invända» for interest (L7, L13)."""
    negation = {
        "sv": r"\b(inte|inga|inget|ingen|aldrig|utan|nej)\b",
        "en": r"\b(not|no|never|none|nothing|without)\b|n't\b",
    }[locale]
    consent, objection = {"sv": ("samtycke", "invänd"), "en": ("consent", "object")}[locale]
    guilt = r"miss|tyvärr|ledsen|sorry|unfortunately|lose|förlora"
    for key, entry in load_builtin_purposes().items():
        words = entry["texts"][locale]
        everything = " ".join(words.values()).lower()
        assert not re.search(negation, words["title"], re.IGNORECASE), f"{key}: {words['title']}"
        assert not re.search(guilt, everything), key
        if entry["lawful_basis"] == "legitimate_interest" and key != "everything":
            assert objection in everything, key
            assert consent not in everything, key
        elif entry.get("parent") is None and entry["lawful_basis"] == "consent":
            assert consent in everything, key


def test_builtin_purposes_are_added_once_and_never_rewritten(session: Session, now: datetime) -> None:
    publish_version(session, "surveys", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now)
    archive_purpose(session, "events", now=now)
    before = session.scalar(select(func.count()).select_from(NoticeVersionRow))
    assert ensure_builtin_purposes(session, now=now) == 0
    assert session.scalar(select(func.count()).select_from(NoticeVersionRow)) == before
    assert purpose(session, "events").is_archived


def test_of_two_who_began_with_the_same_version_one_is_told(app: Flask, session: Session, now: datetime) -> None:
    session.commit()
    barrier = Barrier(2)

    def publish(turn: int) -> str | None:
        texts = [replace(TEXTS[0], why=f"Därför {turn}."), TEXTS[1]]
        with app.app_context():
            barrier.wait(timeout=30)
            try:
                with transaction() as own:
                    publish_version(own, "surveys", texts=texts, lawful_basis=LawfulBasis.CONSENT, based_on=1, now=now)
            except Conflict as error:
                return error.pointer
        return "published"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(str(one) for one in pool.map(publish, range(2))) == ["/based_on", "published"]
    assert catalogue(session).by_key("surveys").number == 2


def test_the_stop_keeps_its_basis_and_the_exception_is_about_mail(session: Session, now: datetime) -> None:
    with pytest.raises(InvalidValue) as refused:
        publish_version(session, "everything", texts=TEXTS, lawful_basis=LawfulBasis.CONSENT, now=now)
    assert refused.value.pointer == "/lawful_basis"
    wanted = {"lawful_basis": LawfulBasis.CONSENT, "customer_exception": True}
    with pytest.raises(InvalidValue) as refused:
        publish_version(session, "photo_marketing", texts=TEXTS, now=now, **wanted)  # type: ignore[arg-type]
    assert refused.value.pointer == "/customer_exception"
