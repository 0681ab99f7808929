"""Two tabs, the back button, repeats, and bytes that no page of ours sends (T17, T19)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.visits import count_jobs, entries, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who consented to marketing."""
    found = make_recipient(session, locale="sv")
    act(session, found, "marketing")
    return found


def test_second_tab_brings_nothing_back(client: StrictClient, session: Session, anna: RecipientView) -> None:
    first, second = get(client, preferences_url(anna)), get(client, preferences_url(anna))
    first.form("save").submit(client, {"answer-marketing": "no"})
    second.form("save").submit(client, {"answer-events": "no"})
    answers = get(client, preferences_url(anna)).answers()
    assert (answers["marketing"], answers["events"]) == ("no", "no")
    assert count_jobs(session) == 0


def test_back_button_and_a_second_press_record_nothing_new(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = get(client, preferences_url(anna))
    for _ in range(3):
        told = follow(client, page.form("save").submit(client, {"answer-marketing": "no"}))
    assert [entry.act for entry in entries(session)] == [Act.GIVEN, Act.WITHDRAWN]
    assert told.title.startswith("Inget ändrades")


def test_repeated_stop_records_nothing_new_and_still_says_so(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = get(client, preferences_url(anna))
    page.form("stop").submit(client)
    told = follow(client, page.form("stop").submit(client))
    assert len(entries(session)) == 2
    assert "Vi skickar dig ingen mer information med e-post." in told.text


def test_stale_yes_asks_again_for_what_was_stopped_meanwhile_and_never_turns_it_on(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "events", Act.OBJECTED)
    stale = get(client, preferences_url(anna))
    stale.form("save").submit(client, {"answer-events": "yes"})
    assert get(client, preferences_url(anna)).answers()["events"] == "no"


BAD_FORMS: dict[str, object] = {
    "no body": None,
    "no action": {"answer-events": "no"},
    "unknown action": {"action": "delete"},
    "action twice": {"action": ["save", "stop"]},
    "one-click body": {"List-Unsubscribe": "One-Click"},
    "unknown field": {"action": "save", "admin": "1"},
    "unknown purpose": {"action": "save", "answer-nowhere": "no", "shown-nowhere": "yes.1.sv"},
    "answer that was not shown": {"action": "save", "answer-events": "no"},
    "answer twice": {"action": "save", "answer-events": ["yes", "no"], "shown-events": "unset.5.sv"},
    "unknown answer": {"action": "save", "answer-events": "maybe", "shown-events": "yes.5.sv"},
    "unset as an answer": {"action": "save", "answer-events": "unset", "shown-events": "yes.5.sv"},
    "unreadable state": {"action": "save", "answer-events": "no", "shown-events": "yes"},
    "version of another purpose": {"action": "save", "answer-events": "no", "shown-events": "yes.1.sv"},
    "version that is not there": {"action": "save", "answer-events": "no", "shown-events": "yes.999999999.sv"},
    "language that is not there": {"action": "save", "answer-events": "no", "shown-events": "yes.5.xx"},
    "the global stop as an answer": {"action": "save", "answer-everything": "yes", "shown-everything": "no.1.sv"},
    "NUL": {"action": "save", "answer-events": "no\x00", "shown-events": "yes.5.sv"},
    "script": {"action": "save", "answer-<script>": "no"},
    "very long name": {"action": "save", "answer-" + "a" * 5000: "no"},
    "very many fields": {"action": "save"} | {f"shown-p{number}": "yes.1.sv" for number in range(700)},
    "unknown language": {"action": "language", "language": "xx"},
    "no language": {"action": "language"},
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_form_that_no_page_of_ours_sends_is_refused_and_changes_nothing(
    client: StrictClient, session: Session, anna: RecipientView, name: str
) -> None:
    response = client.post(preferences_url(anna), data=BAD_FORMS[name])
    assert response.status_code in {400, 422}
    assert len(entries(session)) == 1
    assert count_jobs(session) == 0


def test_file_in_place_of_an_answer_is_refused(client: StrictClient, session: Session, anna: RecipientView) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="action"\r\n\r\nsave\r\n'
        b'--b\r\nContent-Disposition: form-data; name="answer-events"; filename="x"\r\n\r\nno\r\n--b--\r\n'
    )
    response = client.post(preferences_url(anna), data=body, content_type="multipart/form-data; boundary=b")
    assert response.status_code == 400
    assert len(entries(session)) == 1


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_oversized_form_is_refused_unread(
    client: StrictClient, session: Session, anna: RecipientView, kind: str
) -> None:
    response = client.post(preferences_url(anna), data=b"action=save&x=" + b"a" * 200_000, content_type=kind)
    assert response.status_code == 413
    assert len(entries(session)) == 1


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "multipart/form-data"])
def test_other_content_types_are_refused(
    client: StrictClient, session: Session, anna: RecipientView, kind: str
) -> None:
    response = client.post(preferences_url(anna), data=b'{"action": "stop"}', content_type=kind)
    assert response.status_code == 400
    assert len(entries(session)) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused_with_those_allowed(client: StrictClient, anna: RecipientView, method: str) -> None:
    response = client.open(preferences_url(anna), method=method, data={"action": "stop"})
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(
        st.sampled_from(["action", "answer-events", "shown-events", "answer-surveys", "shown-surveys", "lang"])
        | st.text(max_size=20),
        st.sampled_from(["save", "yes", "no", "unset", "yes.5.sv", "no.5.sv", "unset.4.sv"]) | st.text(max_size=30),
        max_size=8,
    )
)
def test_whatever_is_sent_nothing_is_turned_on(
    client: StrictClient, session: Session, anna: RecipientView, fields: dict[str, str]
) -> None:
    before = len(entries(session))
    response = client.post(preferences_url(anna), data=fields)
    assert response.status_code in {303, 400, 404, 413, 422, 429}
    grants = [entry for entry in entries(session)[before:] if entry.act in {Act.GIVEN, Act.OBJECTION_LIFTED}]
    assert grants == []


def test_saved_page_of_nothing_and_of_garbage(client: StrictClient, anna: RecipientView) -> None:
    assert client.get(preferences_url(anna) + "/saved").status_code == 200
    for path in ("/saved/x", "/saved/%00", "/saved/" + "A" * 28 + "." + "A" * 22, "/saved/a/b"):
        assert client.get(preferences_url(anna) + path).status_code == 404


def test_version_numbers_used_above_are_those_of_the_built_in_purposes(session: Session) -> None:
    assert purpose(session, "events").notice_version_id not in {1, 999_999_999}
