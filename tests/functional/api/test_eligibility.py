"""`POST /eligibility`: what a mailer is told about each recipient, and for how long it holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from preferences.domain.acts import Act
from preferences.domain.address import parse_address
from preferences.domain.eligibility import SENTENCES, Reason, RecipientStatus
from preferences.domain.purpose import LawfulBasis
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.eligibility import eligibility
from preferences.services.purposes.purposes import archive_purpose
from tests.factories import act, make_key, make_recipient, purpose
from tests.functional.api.support import Api
from tests.support.client import StrictClient

NOBODY = "0000000000001"


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


def ask(api: Api, *recipients: str, purpose: str = "marketing", **more: Any) -> Any:
    return api.post("/eligibility", {"purpose": purpose, "recipients": list(recipients), **more}).json


def reason(api: Api, recipient: str, **more: Any) -> str:
    [row] = ask(api, recipient, **more)["results"]
    assert row["allowed"] is (row["reason"] == "allowed")
    return str(row["reason"])


def id_of(recipient: RecipientView) -> str:
    return format_recipient_id(recipient.id)


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


def test_answer_says_why_on_what_basis_since_when_and_for_how_long(api: Api, session: Session, now: datetime) -> None:
    anna, bo = make_recipient(session, "Anna@Example.se"), make_recipient(session, "bo@example.se")
    consented, left = now - timedelta(days=3), now - timedelta(days=2, microseconds=1)
    act(session, anna, "marketing", Act.GIVEN, occurred_at=consented)
    act(session, bo, "marketing", Act.WITHDRAWN, occurred_at=left)
    answer = ask(api, "anna@example.SE", id_of(bo), "cecilia@example.se")
    asked_at = moment(answer["asked_at"])
    assert answer["results"] == [
        {
            "recipient": "anna@example.SE",
            "allowed": True,
            "reason": "allowed",
            "basis": "consent",
            "since": consented.isoformat().replace("+00:00", "Z"),
            "valid_until": (asked_at + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        },
        {
            "recipient": id_of(bo),
            "allowed": False,
            "reason": "withdrawn",
            "basis": None,
            "since": left.isoformat().replace("+00:00", "Z"),
            "valid_until": None,
        },
        {
            "recipient": "cecilia@example.se",
            "allowed": False,
            "reason": "unknown_recipient",
            "basis": None,
            "since": None,
            "valid_until": None,
        },
    ]
    assert (answer["purpose"], answer["topic"], answer["at"]) == ("marketing", None, answer["asked_at"])
    assert answer["count"] == 3
    assert answer["counts"] == {"allowed": 1, "withdrawn": 1, "unknown_recipient": 1}
    assert answer["reasons"] == {code: SENTENCES[Reason(code)] for code in answer["counts"]}


def test_opt_out_counts_at_the_next_question(api: Api, session: Session) -> None:
    """M8: immediate."""
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.GIVEN)
    assert reason(api, "anna@example.se") == "allowed"
    act(session, anna, "marketing", Act.WITHDRAWN)
    assert reason(api, "anna@example.se") == "withdrawn"


def test_every_stop_of_an_address_is_told_by_name(api: Api, session: Session, now: datetime) -> None:
    for stop in SuppressionReason:
        index = make_recipient(session, f"{stop}@example.se").address_index
        assert index is not None
        suppress(session, address_index=index, reason=stop, source="test", now=now)
    session.commit()
    answer = ask(api, *(f"{stop}@example.se" for stop in SuppressionReason), purpose="events")
    assert [row["reason"] for row in answer["results"]] == [f"suppressed_{stop}" for stop in SuppressionReason]


def test_erased_persons_address_is_refused_though_nobody_has_it(api: Api, session: Session, now: datetime) -> None:
    """T22: synced back in by somebody, and still never mailed."""
    index = keyring().address_index(parse_address("erased@example.se").normal)
    suppress(session, address_index=index, reason=SuppressionReason.ERASED, source="test", now=now)
    session.commit()
    assert reason(api, "Erased@example.se", purpose="events") == "suppressed_erased"


def test_status_refuses_whatever_was_chosen(api: Api, session: Session) -> None:
    restricted = make_recipient(session, "r@example.se", status=RecipientStatus.RESTRICTED)
    erased = make_recipient(session, "e@example.se", status=RecipientStatus.ERASED, address_index=None)
    assert reason(api, "r@example.se", purpose="events") == reason(api, id_of(restricted)) == "restricted"
    assert reason(api, id_of(erased), purpose="events") == "erased"
    assert reason(api, "e@example.se", purpose="events") == "unknown_recipient"


def test_pause_says_when_it_ends_and_a_message_after_that_may_go(api: Api, session: Session, now: datetime) -> None:
    anna, ends = make_recipient(session), now + timedelta(days=7)
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(days=1))
    act(session, anna, "marketing", Act.PAUSED, paused_until=ends)
    [row] = ask(api, "anna@example.se")["results"]
    assert (row["allowed"], row["reason"], moment(row["valid_until"])) == (False, "paused", ends)
    answer = ask(api, "anna@example.se", at=ends.isoformat())
    [row] = answer["results"]
    assert row["allowed"]
    assert moment(row["valid_until"]) == moment(answer["asked_at"]) + timedelta(hours=1), "T24: not a week ahead"


def test_topic_may_stand_alone_or_beside_its_purpose(api: Api, session: Session) -> None:
    act(session, make_recipient(session), "product_news", Act.WITHDRAWN)
    alone = ask(api, "anna@example.se", purpose="product_news")
    beside = ask(api, "anna@example.se", topic="product_news")
    for answer in (alone, beside):
        assert (answer["purpose"], answer["topic"]) == ("marketing", "product_news")
        assert answer["results"][0]["reason"] == "withdrawn"
    assert reason(api, "anna@example.se") == "no_basis"


def test_customer_exception_is_told_as_the_basis(api: Api, session: Session) -> None:
    """L15."""
    evidence = {"sale_reference": "A-1", "similar_product": True, "opt_out_offered": True}
    act(session, make_recipient(session), "marketing", Act.GIVEN, basis=LawfulBasis.SOFT_OPT_IN, evidence=evidence)
    [row] = ask(api, "anna@example.se")["results"]
    assert (row["reason"], row["basis"]) == ("allowed", "soft_opt_in")


def test_archived_purpose_is_refused_for_everybody(api: Api, session: Session, now: datetime) -> None:
    """T25: an answer, not an error, so that a campaign under way stops."""
    act(session, make_recipient(session), "marketing", Act.GIVEN)
    archive_purpose(session, "marketing", now=now)
    session.commit()
    answer = ask(api, "anna@example.se", NOBODY, "nonsense", topic="product_news")
    assert answer["counts"] == {"purpose_archived": 3}


@pytest.mark.parametrize(
    "hostile",
    [
        *("", " ", "nonsense", "anna@", "@example.se", "anna@localhost", "a@b@example.se", "a\u0001@example.se"),
        *("x" * 500, "anna@example.se" * 20, "åäö", "1' OR '1'='1"),
        *("00000000000000", "zzzzzzzzzzzzz", "0000000000000", "ilouilouilou1", "\u212a000000000000"),
    ],
)
def test_what_is_neither_id_nor_address_is_answered_and_spoils_nothing(
    api: Api, session: Session, hostile: str
) -> None:
    make_recipient(session)
    answer = ask(api, "anna@example.se", hostile, "anna@example.se", purpose="events")
    assert [row["reason"] for row in answer["results"]] == ["allowed", "invalid_address", "allowed"]
    assert answer["results"][1]["recipient"] == hostile


def test_addresses_match_as_they_do_everywhere_and_repeats_are_answered(api: Api, session: Session) -> None:
    """T23: case and IDNA do not matter; a tag is another mailbox."""
    recipient = make_recipient(session, "anna@räksmörgås.se")
    same = ["ANNA@räksmörgås.se", " anna@xn--rksmrgs-5wao1o.se ", id_of(recipient).upper(), id_of(recipient)]
    answer = ask(api, *same, *same, "anna+news@räksmörgås.se", purpose="events")
    assert [row["reason"] for row in answer["results"]] == ["allowed"] * 8 + ["unknown_recipient"]
    assert [row["recipient"] for row in answer["results"][:4]] == same


def test_asking_changes_nothing(api: Api, session: Session) -> None:
    make_recipient(session)
    before = session.scalar(select(func.count()).select_from(ChangeEventRow))
    ask(api, "anna@example.se", "new@example.se")
    assert session.scalar(select(func.count()).select_from(ChangeEventRow)) == before
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 1


def test_log_names_the_answer_without_naming_anybody(api: Api, session: Session) -> None:
    act(session, make_recipient(session), "marketing", Act.GIVEN)
    with capture_logs() as logs:
        answer = ask(api, "anna@example.se", "bo@example.se")
    [entry] = [entry for entry in logs if entry["event"] == "eligibility_answered"]
    assert entry["decision_id"] == answer["decision_id"]
    assert entry["mailer"] == "newsletter"
    assert entry["counts"] == {"allowed": 1, "unknown_recipient": 1}
    assert "@" not in str(entry)
    assert ask(api, "bo@example.se")["decision_id"] != answer["decision_id"]


def test_decide_one_answers_for_mail_of_our_own(session: Session, now: datetime) -> None:
    """T24: asked again in the moment a queued mail is handed over."""
    anna = make_recipient(session)
    path = [purpose(session, "events")]
    assert eligibility.decide_one(session, path, anna, at=now).reason is Reason.ALLOWED
    act(session, anna, "events", Act.OBJECTED)
    assert eligibility.decide_one(session, path, anna, at=now).reason is Reason.OBJECTED
