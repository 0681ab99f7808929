"""The admin pages say what codes mean, in the language of the page."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from preferences.domain.acts import Method
from preferences.domain.eligibility import Reason
from preferences.domain.retention_rules import RULES
from preferences.web.admin.words.photos import not_sent_in_words
from preferences.web.admin.words.sources import staff_evidence, staff_source


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("api:shop", "Avsändaren shop"),
        ("import:7", "Import 7"),
        ("subscribe:news", "Anmälningsformuläret news"),
        ("esp:ses", "Rapporterat av ses"),
        ("staff:3", "Personal"),
        ("page", "Deras egen sida"),
        (Method.ONE_CLICK.value, "Ett klick i mejlprogrammet"),
        ("of a kind that nobody knows", "of a kind that nobody knows"),
        (None, ""),
    ],
)
def test_where_a_stop_came_from_is_said_in_words(app: Flask, source: str | None, said: str) -> None:
    with app.test_request_context("/"), force_locale("sv"):
        assert staff_source(source) == said


def test_why_a_notice_was_not_sent_is_said_in_words(app: Flask) -> None:
    with app.test_request_context("/"), force_locale("sv"):
        assert not_sent_in_words("training_over") == "utbildningen var över"
        assert not_sent_in_words("failed: refused 550 5.1.1") == "mejlservern tog inte emot det: refused 550 5.1.1"
        assert not_sent_in_words("given up: timeout") == "gavs upp efter flera försök: timeout"
        assert not_sent_in_words("not known") == "not known"
        assert all(not_sent_in_words(one) != one for one in Reason)


def test_grounds_of_retention_are_articles_in_no_language() -> None:
    for rule in RULES.values():
        articles = rule.ground.split(":")[0]
        assert not {"and", "or"} & set(articles.split()), articles


def test_evidence_of_an_act_is_said_in_words_and_what_was_stated_stands_as_it_was(app: Flask) -> None:
    with app.test_request_context("/"), force_locale("sv"):
        assert staff_evidence("opt_out_offered", True) == ("Möjlighet att avböja erbjöds", "ja")
        assert staff_evidence("source", "subscribe:news")[1] == "Anmälningsformuläret news"
        assert staff_evidence("source", "Kom till montern: <b>sa ja</b>")[1] == "Kom till montern: <b>sa ja</b>"
        assert staff_evidence("confirmed_at", "2026-11-24T12:00:00+00:00") == (
            "Bekräftat från brevlådan",
            "24 nov. 2026 13:00",
        )
        assert staff_evidence("asked_at", "some day")[1] == "some day"
