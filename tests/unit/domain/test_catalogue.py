"""Looking purposes up: by key, by topic, in the right language, archived ones never listed (T25)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.errors import UnknownPurpose
from preferences.domain.purpose import (
    EVERYTHING_KEY,
    About,
    LawfulBasis,
    NoticeText,
    NoticeVersionId,
    Purpose,
    PurposeId,
)


def _described(
    number: int, key: str, *, parent: int | None = None, about: About = About.MAIL, archived: bool = False
) -> Described:
    purpose = Purpose(
        PurposeId(number),
        key,
        PurposeId(parent) if parent else None,
        about,
        LawfulBasis.CONSENT,
        False,
        NoticeVersionId(number),
        datetime(2026, 1, 1, tzinfo=UTC) if archived else None,
    )
    texts = {locale: NoticeText(locale, f"{key} {locale}", "what", "why", "who", "long") for locale in ("sv", "en")}
    return Described(purpose, 1, texts)


CATALOGUE = Catalogue(
    [
        _described(1, EVERYTHING_KEY, about=About.EVERYTHING),
        _described(2, "news"),
        _described(3, "tips", parent=2),
        _described(4, "old_tips", parent=2, archived=True),
        _described(5, "surveys"),
        _described(6, "old", archived=True),
    ]
)


def _keys(entries: list[Described]) -> list[str]:
    return [entry.purpose.key for entry in entries]


def test_pages_list_purposes_in_use_without_topics_and_without_the_global_stop() -> None:
    assert _keys(CATALOGUE.purposes()) == ["news", "surveys"]


def test_topics_in_use_stand_under_their_purpose() -> None:
    assert _keys(CATALOGUE.topics(CATALOGUE.by_key("news").purpose)) == ["tips"]
    assert CATALOGUE.topics(CATALOGUE.by_key("surveys").purpose) == []


def test_archived_ones_are_still_found_by_key_and_id() -> None:
    assert CATALOGUE.by_key("old").purpose.is_archived
    found = CATALOGUE.by_id(6)
    assert found is not None
    assert found.purpose.key == "old"
    assert len(CATALOGUE.all()) == 6


def test_global_stop_is_always_there() -> None:
    assert CATALOGUE.everything().purpose.about is About.EVERYTHING


def test_topic_key_alone_finds_the_path_from_its_purpose() -> None:
    assert [one.key for one in CATALOGUE.path("tips")] == ["news", "tips"]
    assert [one.key for one in CATALOGUE.path("news", "tips")] == ["news", "tips"]
    assert [one.key for one in CATALOGUE.path("surveys")] == ["surveys"]


@pytest.mark.parametrize(
    ("key", "topic", "pointer"),
    [
        ("nothing", None, "/purpose"),
        ("", None, "/purpose"),
        ("News", None, "/purpose"),
        ("news", "nothing", "/topic"),
        ("surveys", "tips", "/topic"),
        ("news", "news", "/topic"),
        ("x" * 10_000, None, "/purpose"),
    ],
)
def test_unknown_purpose_is_refused_with_a_pointer(key: str, topic: str | None, pointer: str) -> None:
    with pytest.raises(UnknownPurpose) as refused:
        CATALOGUE.path(key, topic)
    assert refused.value.pointer == pointer
    assert len(refused.value.detail) < 200


def test_unknown_id_is_nothing() -> None:
    assert CATALOGUE.by_id(99) is None


def test_wording_falls_back_to_the_default_language_then_to_any() -> None:
    news = CATALOGUE.by_key("news")
    assert news.text("en", "sv").locale == "en"
    assert news.text("en_GB", "sv").locale == "en"
    assert news.text("fi", "sv").locale == "sv"
    assert news.text("fi", "de").locale in {"sv", "en"}
