"""`POST /choices` records what happened elsewhere, with its evidence, and lifts nothing (T21, T28)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.suppression import SuppressionRow
from preferences.models.training import TrainingRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.ledger.verify import verify_ledger
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient

PROOF = {"source": "https://shop.example/checkout", "wording": "Ja, skicka nyheter"}
SALE = {"source": "order form", "sale_reference": "O-1", "similar_product": True, "opt_out_offered": "a tick box"}


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


@pytest.fixture
def anna(session: Session) -> RecipientView:
    return make_recipient(session)


def at(now: datetime, **ago: float) -> str:
    return (now - timedelta(**ago)).isoformat()


def report(now: datetime, act: str = "given", purpose: str = "marketing", **more: Any) -> dict[str, Any]:
    proof = {"evidence": PROOF} if act in {"given", "objection_lifted", "resumed"} else {}
    return {
        "recipient": "anna@example.se",
        "purpose": purpose,
        "act": act,
        "occurred_at": at(now, hours=1),
        **proof,
        **more,
    }


def test_consent_with_evidence_is_recorded(api: Api, session: Session, anna: RecipientView, now: datetime) -> None:
    reply = api.post("/choices", report(now, recipient=format_recipient_id(anna.id)))
    assert (reply.status_code, reply.json["outcome"]) == (201, "recorded")
    assert reply.json["choice"] == {
        "act": "given",
        "basis": "consent",
        "since": (now - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        "paused_until": None,
    }
    entry = session.query(LedgerEntryRow).one()
    assert (entry.method, entry.actor, entry.actor_id is not None) == (Method.API, Actor.MAILER, True)
    assert PROOF.items() <= session.query(EvidenceRow).one().content.items()
    assert session.query(ChangeEventRow).one().entry_id == entry.id == reply.json["entry"]


def test_the_customer_exception_needs_all_its_evidence(api: Api, anna: RecipientView, now: datetime) -> None:
    asked = report(now, basis="soft_opt_in", evidence=SALE)
    for missing in ("sale_reference", "similar_product", "opt_out_offered", "source"):
        evidence = {name: value for name, value in SALE.items() if name != missing}
        problem = api.post("/choices", {**asked, "evidence": evidence}).problem(422)
        assert (problem["code"], problem["pointer"]) == ("act_not_possible", f"/evidence/{missing}")
    assert api.post("/choices", asked).json["choice"]["basis"] == "soft_opt_in"


@pytest.mark.parametrize("evidence", [{}, {"source": ""}, {"source": "  "}, {"wording": "Ja tack"}])
def test_consent_without_a_source_is_no_consent(
    api: Api, session: Session, anna: RecipientView, now: datetime, evidence: Any
) -> None:
    problem = api.post("/choices", report(now, evidence=evidence)).problem(422)
    assert problem["pointer"] == "/evidence/source"
    assert session.query(LedgerEntryRow).count() == 0


@pytest.mark.parametrize("stop", [Act.WITHDRAWN, Act.REFUSED, Act.REVOKED])
@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=1), timedelta(days=300)])
def test_no_report_lifts_an_opt_out_whatever_its_time(
    api: Api, session: Session, anna: RecipientView, now: datetime, stop: Act, age: timedelta
) -> None:
    act(session, anna, "marketing", stop, occurred_at=now - age)
    for when in (now, now - age, now - timedelta(days=400)):
        problem = api.post("/choices", report(now, occurred_at=when.isoformat())).problem(409)
        assert (problem["code"], problem["reason"]) == ("held", stop.value)
    assert session.query(LedgerEntryRow).count() == 1


def test_a_grant_for_a_topic_does_not_overrule_the_purposes_opt_out(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    act(session, anna, "marketing", Act.WITHDRAWN, occurred_at=now - timedelta(days=1))
    for asked in (report(now, topic="product_news"), report(now, purpose="product_news")):
        assert api.post("/choices", asked).problem(409)["reason"] == "withdrawn"


def test_a_grant_for_the_purpose_leaves_the_topics_opt_out(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    act(session, anna, "product_news", Act.WITHDRAWN, occurred_at=now - timedelta(days=1))
    assert api.post("/choices", report(now)).json["outcome"] == "recorded"
    assert api.post("/choices", report(now, topic="product_news")).problem(409)["reason"] == "withdrawn"


@pytest.mark.parametrize("reason", [SuppressionReason.GLOBAL_STOP, SuppressionReason.COMPLAINT])
def test_what_the_person_stopped_by_address_holds_too(
    api: Api, session: Session, anna: RecipientView, now: datetime, reason: SuppressionReason
) -> None:
    assert anna.address_index is not None
    suppress(session, address_index=anna.address_index, reason=reason, source="test", now=now)
    session.commit()
    assert api.post("/choices", report(now)).problem(409)["reason"] == f"suppressed_{reason}"


def test_a_bounce_does_not_stand_in_the_way_of_consent(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    assert anna.address_index is not None
    bounce = SuppressionReason.HARD_BOUNCE
    suppress(session, address_index=anna.address_index, reason=bounce, source="test", now=now)
    session.commit()
    assert api.post("/choices", report(now)).json["outcome"] == "recorded"
    assert session.query(SuppressionRow).one().lifted_at is None


def test_a_pause_is_ended_by_nobody_else(api: Api, session: Session, anna: RecipientView, now: datetime) -> None:
    act(session, anna, "marketing", Act.PAUSED, paused_until=now + timedelta(days=30))
    for asked in (report(now), report(now, act="resumed"), report(now, topic="product_news")):
        assert api.post("/choices", asked).problem(409)["reason"] == "paused"


def test_a_restricted_person_is_not_given_more(api: Api, session: Session, now: datetime) -> None:
    make_recipient(session, status=RecipientStatus.RESTRICTED)
    assert api.post("/choices", report(now)).problem(409)["reason"] == "restricted"
    assert api.post("/choices", report(now, act="withdrawn")).json["outcome"] == "recorded"


def test_a_stop_needs_no_evidence_and_counts_at_once(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(days=2))
    assert api.post("/choices", report(now, act="withdrawn")).json["choice"]["act"] == "withdrawn"
    assert verify_ledger(session).is_sound


def test_an_older_stop_is_recorded_and_does_not_outrank_a_newer_consent(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(hours=1))
    reply = api.post("/choices", report(now, act="withdrawn", occurred_at=at(now, days=3)))
    assert (reply.json["outcome"], reply.json["choice"]["act"]) == ("recorded", "given")
    same = api.post("/choices", report(now, act="withdrawn", occurred_at=at(now, hours=1)))
    assert same.json["choice"]["act"] == "withdrawn", "ties go to the opt-out (T28)"


def test_the_same_report_twice_is_recorded_once(api: Api, session: Session, anna: RecipientView, now: datetime) -> None:
    for asked in (
        report(now),
        report(now, act="withdrawn", purpose="surveys"),
        report(now, act="objected", purpose="events"),
    ):
        assert [api.post("/choices", asked).json["outcome"] for _ in range(2)] == ["recorded", "unchanged"]
    assert session.query(LedgerEntryRow).count() == 3


def test_a_reported_global_stop_stops_everything_once(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    asked = report(now, act="objected", purpose="everything")
    assert [api.post("/choices", asked).json["outcome"] for _ in range(2)] == ["recorded", "unchanged"]
    found = session.query(SuppressionRow).one()
    assert (found.reason, found.source) == (SuppressionReason.GLOBAL_STOP, "api:newsletter")
    assert session.query(ChangeEventRow).one().type == "recipient.stopped"
    lifted = api.post("/choices", report(now, act="objection_lifted", purpose="everything"))
    assert lifted.problem(409)["reason"] == "suppressed_global_stop"


def test_lifting_what_does_not_stand_changes_nothing(
    api: Api, session: Session, anna: RecipientView, now: datetime
) -> None:
    for asked in (report(now, act="objection_lifted", purpose="events"), report(now, act="resumed")):
        assert api.post("/choices", asked).json["outcome"] == "unchanged"
    assert session.query(LedgerEntryRow).count() == 0


def test_a_photo_objection_for_one_training(api: Api, session: Session, anna: RecipientView, now: datetime) -> None:
    training = TrainingRow(title="Kurs", held_on=date(2026, 5, 1), created_at=now)
    session.add(training)
    session.commit()
    asked = report(now, act="objected", purpose="photos", topic="photo_image", training=training.id)
    assert api.post("/choices", asked).json["outcome"] == "recorded"
    assert session.query(LedgerEntryRow).one().training_id == training.id
    lifted = {**asked, "act": "objection_lifted", "evidence": PROOF}
    assert api.post("/choices", lifted).problem(409)["reason"] == "objected"
    for wrong in ({**asked, "training": training.id + 1}, {**asked, "purpose": "events", "topic": None}):
        assert api.post("/choices", wrong).problem(422)["pointer"] == "/training"


@pytest.mark.parametrize(
    ("change", "status", "code", "pointer"),
    [
        ({"recipient": "nobody@example.se"}, 404, "unknown_recipient", "/recipient"),
        ({"recipient": "0000000000001"}, 404, "unknown_recipient", "/recipient"),
        ({"recipient": "nonsense"}, 422, "invalid_address", "/recipient"),
        ({"recipient": "a@b@c"}, 422, "invalid_address", "/recipient"),
        ({"recipient": ""}, 422, "invalid_address", "/recipient"),
        ({"purpose": "nothing"}, 422, "unknown_purpose", "/purpose"),
        ({"topic": "nothing"}, 422, "unknown_purpose", "/topic"),
        ({"topic": "photo_name"}, 422, "unknown_purpose", "/topic"),
        ({"purpose": "events"}, 422, "act_not_possible", "/act"),
        ({"purpose": "everything"}, 422, "act_not_possible", "/act"),
        ({"basis": "legitimate_interest"}, 422, "act_not_possible", "/basis"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, 422, "invalid_value", "/occurred_at"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, 422, "invalid_value", "/occurred_at"),
        ({"act": "paused"}, 422, "invalid_value", "/paused_until"),
        ({"paused_until": "2027-01-01T00:00:00Z"}, 422, "invalid_value", "/paused_until"),
        ({"training": 0}, 422, "invalid_request", "/training"),
        ({"training": "1"}, 422, "invalid_request", "/training"),
        ({"training": True}, 422, "invalid_request", "/training"),
        ({"training": 2**63}, 422, "invalid_request", "/training"),
        ({"act": "unsubscribed"}, 422, "invalid_request", "/act"),
        ({"evidence": {"source": 5}}, 422, "invalid_request", "/evidence/source"),
        ({"evidence": {"source": "x" * 5001}}, 422, "invalid_request", "/evidence/source"),
        ({"evidence": {"ip": "::1"}}, 422, "invalid_request", "/evidence/ip"),
        ({"evidence": None}, 422, "invalid_request", "/evidence"),
    ],
)
def test_unusable_reports_change_nothing(
    api: Api,
    session: Session,
    anna: RecipientView,
    now: datetime,
    change: dict[str, Any],
    status: int,
    code: str,
    pointer: str,
) -> None:
    problem = api.post("/choices", {**report(now), **change}).problem(status)
    pointers = [error["pointer"].removesuffix("/bool").removesuffix("/str") for error in problem.get("errors", [])]
    assert problem["code"] == code
    assert pointer in {problem.get("pointer"), *pointers}
    assert session.query(LedgerEntryRow).count() == 0
    assert session.query(SuppressionRow).count() == 0


def test_an_erased_person_is_beyond_reports(api: Api, session: Session, anna: RecipientView, now: datetime) -> None:
    identifier = format_recipient_id(anna.id)
    api.delete(f"/recipients/{identifier}")
    for one in ("given", "withdrawn"):
        assert api.post("/choices", report(now, act=one, recipient=identifier)).problem(409)["reason"] == "erased"
    assert session.query(EvidenceRow).count() == 0
    assert session.query(LedgerEntryRow).count() == 0


def test_times_are_told_in_utc(api: Api, anna: RecipientView) -> None:
    when = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)
    asked = report(when, occurred_at="2026-03-01T14:00:00.123+02:00")
    assert api.post("/choices", asked).json["choice"]["since"] == "2026-03-01T12:00:00.123000Z"
