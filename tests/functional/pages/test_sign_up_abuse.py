"""Sign-up in hostile hands: programs, mail bombs, guesses, forms that are none of ours (T27, L20)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.sign_up import FASTEST, LIMITS, SEAL_LASTS
from preferences.extensions import limiter
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page, get
from tests.support.sign_ups import A_MOMENT, fields_of, fill_in, mail_after, sign_ups
from tests.support.visits import count_jobs, entries

MOST_AN_HOUR, MOST_A_DAY = (most for _, most in LIMITS)


def answer_of(response: TestResponse) -> tuple[object, ...]:
    """Everything that a visitor can tell answers apart by."""
    headers = {name: value for name, value in response.headers if name not in {"Date"}}
    return response.status_code, response.data, tuple(sorted(headers.items()))


def test_a_program_that_fills_in_the_hidden_field_gets_the_same_answer_and_stores_nothing(
    client: StrictClient, session: Session
) -> None:
    trapped = fill_in(client, "anna@example.se", website="https://spam.example")
    assert (sign_ups(session), count_jobs(session)) == ([], 0)
    assert answer_of(trapped) == answer_of(fill_in(client, "bo@example.se"))
    assert len(sign_ups(session)) == 1


def test_a_program_that_is_faster_than_people_gets_the_same_answer_and_stores_nothing(
    client: StrictClient, session: Session
) -> None:
    fast = fill_in(client, waiting=FASTEST - timedelta(seconds=1))
    assert sign_ups(session) == []
    assert answer_of(fast) == answer_of(fill_in(client))


def test_the_hidden_field_is_hidden_from_everybody(client: StrictClient) -> None:
    page = get(client, "/subscribe")
    field = page.find("input", name="website")
    assert (field.get("tabindex"), field.get("autocomplete")) == ("-1", "off")
    (box,) = [one for one in page.all("div", **{"aria-hidden": "true"}) if field in list(one.iter("input"))]
    assert box.get("class") == "hidden"


def test_a_form_that_was_open_for_long_is_shown_once_more_with_what_was_filled_in(
    client: StrictClient, session: Session
) -> None:
    page = Page(fill_in(client, "anna@example.se", "marketing", waiting=SEAL_LASTS + timedelta(hours=1), name="Anna"))
    assert "Titta en gång till" in page.text
    assert page.find("input", name="address").get("value") == "anna@example.se"
    assert page.find("input", name="name").get("value") == "Anna"
    assert "checked" in page.find("input", name="purpose-marketing").attrib
    assert sign_ups(session) == []


@pytest.mark.parametrize("seal", ["", "x", "1.AAAAAAAAAAAAAAAAAAAAAA", "embed.AAAAAAAAAAAAAAAAAAAAAA", "9" * 200])
def test_a_form_without_our_seal_is_shown_and_stores_nothing(client: StrictClient, session: Session, seal: str) -> None:
    answer = fill_in(client, "anna@example.se", seal=seal)
    assert (answer.status_code, "Titta en gång till" in answer.text) == (200, True)
    assert sign_ups(session) == []


def test_a_seal_holds_for_its_own_form_only(client: StrictClient, session: Session, app: Flask) -> None:
    run = app.test_cli_runner().invoke
    made = run(args=["forms", "add", "other", "--purpose", "surveys", "--heading", "sv=A", "--heading", "en=B"])
    assert made.exit_code == 0, made.output
    seal = get(client, "/subscribe").find("input", name="seal").get("value", "")
    answer = fill_in(client, "anna@example.se", "surveys", path="/subscribe/other", seal=seal)
    assert "Titta en gång till" in answer.text
    assert sign_ups(session) == []


def test_wording_that_was_never_ours_is_no_evidence(client: StrictClient, session: Session) -> None:
    for shown in ("", "999999.sv", "1.xx", "yes", "-1.sv", "1.sv.1"):
        answer = fill_in(client, "anna@example.se", "product_news", more={"shown-product_news": shown})
        assert "Titta en gång till" in answer.text
    assert sign_ups(session) == []


def test_known_and_unknown_get_the_same_answer_by_the_same_statements(
    app: Flask, client: StrictClient, session: Session
) -> None:
    known = make_recipient(session, "known@example.se")
    act(session, known, "product_news")
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", note)
    seen = []
    for address in ("warm@example.se", "known@example.se", "unknown@example.se"):
        statements.clear()
        limiter.reset()
        seen.append((answer_of(fill_in(client, address)), tuple(statements)))
    event.remove(engine, "before_cursor_execute", note)
    assert seen[1] == seen[2]
    assert not any("recipients" in statement for statement in seen[1][1]), "who is known is not even looked up"


def test_one_address_is_asked_three_times_an_hour_and_five_a_day(
    app: Flask, client: StrictClient, session: Session
) -> None:
    start = datetime.now(UTC)
    for hour in range(4):
        with time_machine.travel(start + timedelta(hours=hour * 2)):
            for _ in range(MOST_AN_HOUR + 1):
                limiter.reset()
                assert fill_in(client, "Victim@Example.se").status_code == 303
    assert len(sign_ups(session)) == MOST_A_DAY
    assert count_jobs(session) == MOST_A_DAY
    with time_machine.travel(start + timedelta(days=1, hours=1)):
        fill_in(client, "victim@example.SE")
    assert len(sign_ups(session)) == MOST_A_DAY + 1


def test_one_client_cannot_go_through_a_list(client: StrictClient, session: Session) -> None:
    codes = [fill_in(client, f"person{number}@example.se").status_code for number in range(12)]
    assert codes[:10] == [303] * 10
    assert codes[10:] == [429] * 2
    assert len(sign_ups(session)) == 10


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"address": ""}, "Skriv din e-postadress."),
        ({"address": "no address"}, "Det här ser inte ut som en e-postadress."),
        ({"address": "a@b"}, "Det här ser inte ut som en e-postadress."),
        ({"address": "a\r\nBcc: x@example.se"}, "Det här ser inte ut som en e-postadress."),
        ({"address": f"{'x' * 300}@example.se"}, "Adressen är för lång."),
        ({"name": "A\x00nna"}, "Namnet är för långt"),
        ({"name": "x" * 201}, "Namnet är för långt"),
        ({"purpose-product_news": "no"}, "Kryssa för minst en sak"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_stored(
    client: StrictClient, session: Session, fields: dict[str, str], message: str
) -> None:
    response = fill_in(client, "anna@example.se", "product_news", more=fields)
    page = Page(response)
    assert response.status_code == 422
    assert page.title.startswith("Fel: ")
    (summary,) = page.all("div", role="alert")
    targets = [one.get("href", "") for one in summary.iter("a")]
    assert message in page.text
    assert targets
    assert all(any(one.get("id") == target[1:] for one in page.root.iter()) for target in targets)
    assert sign_ups(session) == []


def test_a_correction_is_not_too_fast(client: StrictClient, session: Session) -> None:
    page = Page(fill_in(client, "wrong", "product_news"))
    (form,) = page.forms()
    with time_machine.travel(datetime.now(UTC) + A_MOMENT):
        answer = client.post(form.path, data={**fields_of(form), "address": "anna@example.se"})
    assert answer.status_code == 303
    assert len(sign_ups(session)) == 1


def test_hostile_text_is_shown_as_text(client: StrictClient) -> None:
    page = Page(fill_in(client, '"><script>alert(1)</script>', name='"><b>x</b>'))
    assert page.all("script") == []
    assert page.find("input", name="name").get("value") == '"><b>x</b>'


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"address": ["a@example.se", "b@example.se"]}, 400),
        ({f"field{number}": "x" for number in range(601)}, 400),
        ({"address": "x" * 70_000}, 413),
    ],
)
def test_what_no_form_can_have_sent_is_refused(
    client: StrictClient, session: Session, data: dict[str, object], status: int
) -> None:
    assert client.post("/subscribe", data=data).status_code == status
    assert sign_ups(session) == []


def test_other_bodies_store_nothing(client: StrictClient, session: Session) -> None:
    for kind in ("application/json", "text/plain", ""):
        assert client.post("/subscribe", data=b'{"address": "a@example.se"}', content_type=kind).status_code == 422
    upload = {"address": (b"x", "x.txt")}
    assert client.post("/subscribe", data=upload, content_type="multipart/form-data").status_code in {400, 422}
    assert sign_ups(session) == []


@pytest.mark.parametrize("key", ["nowhere", "NEWS", "sent", "x" * 300, "..", "%00"])
def test_there_is_no_other_form(client: StrictClient, session: Session, key: str) -> None:
    assert client.get(f"/subscribe/{key}").status_code == 404
    assert client.post(f"/subscribe/{key}", data={"address": "a@example.se"}).status_code == 404
    assert sign_ups(session) == []


def test_fields_of_another_site_are_left_alone(app: Flask, client: StrictClient, session: Session) -> None:
    assert fill_in(
        client, "anna@example.se", more={"utm_source": "x", "purpose-events": "yes", "purpose-everything": "yes"}
    )
    (row,) = sign_ups(session)
    assert len(row.asked) == 1
    assert mail_after(app) is not None
    assert entries(session) == []
