"""The report of an import speaks the language of the page; its file keeps codes, and says the same in words."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.roles import Role
from preferences.queries.recipients.recipients import RecipientView
from preferences.web.admin.words.import_details import detail_in_words
from tests.factories import act, make_recipient
from tests.support.admin_imports import planned
from tests.support.page import Page
from tests.support.staff import signed_in

FILE = """email,purpose,act,occurred_at,source
anna@example.se,marketing,given,2024-05-01,fair
bo@example.se,marketing,given,,fair
bo@example.se,,,,
inte en adress,,,,
cia@example.se,nyhetsbrev,given,2024-05-01,fair
"""


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who said no."""
    found = make_recipient(session)
    act(session, found, "marketing", Act.WITHDRAWN, method=Method.ONE_CLICK)
    return found


def test_a_report_is_in_the_language_of_the_page_and_its_file_keeps_the_codes(
    app: Flask, session: Session, anna: RecipientView
) -> None:
    stina = signed_in(app, session, Role.ADMINISTRATOR)
    place = planned(stina, FILE)
    page = Page(stina.get(place))
    for words in (
        "Bara personens egen brevlåda",
        "occurred_at saknas: när sade personen ja?",
        "ser inte ut som en e-post",
    ):
        assert words in page.text, words
    assert "nyhetsbrev" in page.text
    assert "Only the person" not in page.text
    assert " UTC" not in page.text
    rows = list(csv.DictReader(io.StringIO(stina.get(f"{place}/report.csv").data.decode("utf-8-sig"))))
    held = rows[0]
    assert (held["outcome"], held["reason"]) == ("held", "withdrawn")
    assert re.fullmatch(r"Withdrawn by the recipient \(one_click\) on [-\d]+ [:\d]+ UTC\. Only the .*", held["detail"])
    assert "Bara personens egen brevlåda" in held["in_words"]


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("Duplicate of line 12.", "Samma som rad 12."),
        (
            "The row has 3 cells, the header 5. (Lines 4 to 6.)",
            "Raden har 3 celler, rubrikraden 5. (Raderna 4 till 6.)",
        ),
        (
            "Erased at their request on 2026-07-01 12:30 UTC (staff:3). Nothing of it is stored.",
            "Raderades på egen begäran 1 juli 2026 14:30. Inget av raden sparas.",
        ),
        (
            "Paused by the recipient (preference_page) until 2026-07-01 12:30 UTC. "
            "Only the person's own mailbox can lift it.",
            "personen (",
        ),
    ],
)
def test_what_is_stored_in_english_and_utc_is_said_in_swedish_and_local_time(
    app: Flask, detail: str, words: str
) -> None:
    with app.test_request_context("/admin/imports/1", headers={"Accept-Language": "sv"}):
        said, is_in_words = detail_in_words(detail)
    assert is_in_words
    assert said.startswith(words)


def test_what_has_no_form_stays_as_it_was_written(app: Flask) -> None:
    with app.test_request_context("/admin/imports/1", headers={"Accept-Language": "sv"}):
        assert detail_in_words("Something nobody has thought of.") == ("Something nobody has thought of.", False)
        assert detail_in_words(None) == ("", True)
