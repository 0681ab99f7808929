"""What a one-click does and does not do, named after the rules and the traps (M1-M9, T1-T7, T12, T13, T15, T19)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import Capability
from preferences.domain.purpose import LawfulBasis
from preferences.domain.recipient_id import new_recipient_id
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import ConfirmationRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.queries.choices.choices import active_suppressions, choice_of
from preferences.queries.purposes.purposes import forget_catalogue
from preferences.services.choices.confirmations import Asked, ask_to_turn_on
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.ledger.verify import verify_ledger
from preferences.services.purposes.purposes import archive_purpose
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.visits import entries

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def events(session: Session) -> int:
    found = session.scalar(select(func.count()).select_from(ChangeEventRow)) or 0
    session.rollback()
    return found


def test_one_click_needs_no_cookie_no_login_and_sets_none(client: StrictClient, session: Session) -> None:
    """M2, M3, T6."""
    recipient = make_recipient(session)
    answer = client.post(f"/u/{link(recipient, purpose(session, 'marketing'))}", data=ONE_CLICK)
    assert (answer.status_code, "Location" in answer.headers, "Set-Cookie" in answer.headers) == (200, False, False)
    (entry,) = entries(session)
    assert (entry.act, entry.basis, entry.method, entry.actor) == (
        Act.WITHDRAWN,
        LawfulBasis.CONSENT,
        Method.ONE_CLICK,
        Actor.RECIPIENT,
    )
    assert events(session) == 1


@pytest.mark.parametrize("headers", [{"Cookie": "session=x; me=y"}, {"Authorization": "Bearer x"}, {"Origin": "null"}])
def test_cookies_and_credentials_are_ignored(client: StrictClient, session: Session, headers: dict[str, str]) -> None:
    """T6: the token is the only credential; who is signed in where has no say."""
    recipient = make_recipient(session)
    token = link(recipient, purpose(session, "marketing"))
    assert client.post(f"/u/{token}", data=ONE_CLICK, headers=headers).status_code == 200
    assert [entry.recipient_id for entry in entries(session)] == [recipient.id]


@pytest.mark.parametrize("agent", ["", "Googlebot", "curl/8", "GoogleImageProxy", "Mozilla/5.0 BarracudaCentral"])
def test_the_user_agent_has_no_say(client: StrictClient, session: Session, agent: str) -> None:
    """T7."""
    token = link(make_recipient(session), purpose(session, "marketing"))
    client.post(f"/u/{token}", data=ONE_CLICK, headers={"User-Agent": agent})
    assert len(entries(session)) == 1


def test_a_repeat_is_answered_alike_and_records_nothing(client: StrictClient, session: Session) -> None:
    """M3: repeats included."""
    token = link(make_recipient(session), purpose(session, "marketing"))
    first, *again = [client.post(f"/u/{token}", data=ONE_CLICK) for _ in range(4)]
    assert {(one.status_code, one.data) for one in again} == {(first.status_code, first.data)}
    assert (len(entries(session)), events(session)) == (1, 1)


def test_concurrent_one_clicks_make_one_entry_and_one_event(app: Flask, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    together, answers = threading.Barrier(6), []

    def press() -> None:
        together.wait()
        answers.append(app.test_client(use_cookies=False).post(f"/u/{token}", data=ONE_CLICK).status_code)

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6
    assert (len(entries(session)), events(session), verify_ledger(session).is_sound) == (1, 1, True)


def test_legitimate_interest_is_objected_to_and_a_customer_exception_too(
    client: StrictClient, session: Session
) -> None:
    recipient = make_recipient(session)
    evidence = {"sale_reference": "7", "similar_product": "course", "opt_out_offered": True}
    act(session, recipient, "marketing", basis=LawfulBasis.SOFT_OPT_IN, evidence=evidence)
    for key in ("events", "marketing"):
        client.post(f"/u/{link(recipient, purpose(session, key))}", data=ONE_CLICK)
    assert [(entry.act, entry.basis) for entry in entries(session)][1:] == [
        (Act.OBJECTED, LawfulBasis.LEGITIMATE_INTEREST),
        (Act.OBJECTED, LawfulBasis.SOFT_OPT_IN),
    ]


def test_an_old_link_of_an_older_epoch_still_stops(client: StrictClient, session: Session) -> None:
    """M9, T12, T13: never expires, whatever became of the epoch; a fresh consent given later is stopped too."""
    recipient = make_recipient(session, link_epoch=7)
    act(session, recipient, "marketing")
    token = link(recipient, purpose(session, "marketing"), epoch=1, issued_at=datetime(2020, 1, 2, tzinfo=UTC))
    assert client.post(f"/u/{token}", data=ONE_CLICK).status_code == 200
    assert choice_of(session, recipient.id, purpose(session, "marketing").id).stops


def test_a_stop_is_not_lost_to_a_clock_that_is_behind(client: StrictClient, session: Session) -> None:
    recipient = make_recipient(session)
    ahead = datetime.now(UTC) + timedelta(seconds=40)
    new = NewAct(
        recipient_id=recipient.id,
        purpose=purpose(session, "marketing"),
        act=Act.GIVEN,
        method=Method.API,
        occurred_at=ahead,
    )
    record_act(session, new, now=ahead)
    session.commit()
    client.post(f"/u/{link(recipient, purpose(session, 'marketing'))}", data=ONE_CLICK)
    assert choice_of(session, recipient.id, purpose(session, "marketing").id).stops
    assert verify_ledger(session).is_sound


def test_a_link_works_without_the_message_it_was_sent_in(client: StrictClient, session: Session) -> None:
    """T12: no campaign record is needed; the reference is kept as it was."""
    token = link(make_recipient(session), purpose(session, "marketing"), reference=4_000_000_000)
    client.post(f"/u/{token}", data=ONE_CLICK)
    assert [entry.reference for entry in entries(session)] == [4_000_000_000]


def test_a_link_of_an_archived_purpose_still_stops_it(client: StrictClient, session: Session, now: datetime) -> None:
    """T12, T25."""
    recipient, topic = make_recipient(session), purpose(session, "product_news")
    archive_purpose(session, "product_news", now=now)
    session.commit()
    client.post(f"/u/{link(recipient, topic)}", data=ONE_CLICK)
    assert choice_of(session, recipient.id, topic.id).stops


@pytest.mark.parametrize("purpose_id", [0, 65535])
def test_a_link_whose_purpose_is_unknown_stops_everything(
    client: StrictClient, session: Session, purpose_id: int
) -> None:
    """T12: the person asked for less, never for an error."""
    recipient = make_recipient(session)
    for _ in range(2):
        assert client.post(f"/u/{link(recipient, purpose_id)}", data=ONE_CLICK).status_code == 200
    found = active_suppressions(session, recipient.address_index)
    assert [one.reason for one in found] == [SuppressionReason.GLOBAL_STOP]
    assert [(entry.act, entry.method) for entry in entries(session)] == [(Act.OBJECTED, Method.ONE_CLICK)]


def test_an_unknown_or_erased_recipient_gets_the_same_answer_and_no_entry(
    client: StrictClient, session: Session
) -> None:
    """M7, T19: nothing to stop, nothing claimed."""
    recipient = make_recipient(session)
    marketing = purpose(session, "marketing")
    good = client.post(f"/u/{link(recipient, purpose(session, 'surveys'))}", data=ONE_CLICK)
    row = session.get_one(RecipientRow, recipient.id)
    for name in ("address", "address_index", "domain_index"):
        setattr(row, name, None)
    row.status = "erased"  # type: ignore[assignment]
    session.commit()
    erased = client.post(f"/u/{link(recipient, marketing)}", data=ONE_CLICK)
    row_id, token = recipient.id, link(recipient, marketing)
    session.delete(session.get_one(RecipientRow, row_id))
    session.commit()
    gone = client.post(f"/u/{token}", data=ONE_CLICK)
    assert {(one.status_code, one.data) for one in (erased, gone)} == {(200, good.data)}
    assert len(entries(session)) == 1


@pytest.mark.parametrize(
    "bad", ["", "x", "%00", "a/b/c", "å", "A" * 51, "A" * 5000, "..%2f..", "'\"><script>", "%ff%fe"]
)
def test_a_malformed_token_gets_the_same_200_as_a_good_one(client: StrictClient, session: Session, bad: str) -> None:
    """M7: no oracle."""
    good = client.post(f"/u/{link(make_recipient(session), purpose(session, 'surveys'))}", data=ONE_CLICK)
    answer = client.post(f"/u/{bad}", data=ONE_CLICK)
    assert (answer.status_code, answer.data, dict(answer.headers)) == (200, good.data, dict(good.headers))
    assert len(entries(session)) == 1


def test_a_token_that_was_changed_or_is_of_another_tier_does_nothing(client: StrictClient, session: Session) -> None:
    """M7, T14, T15: everything that is used is signed; a token of another capability is a stranger's."""
    recipient, marketing = make_recipient(session), purpose(session, "marketing")
    token = link(recipient, marketing)
    changed = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    others = [link(recipient, marketing, one) for one in Capability if one is not Capability.UNSUBSCRIBE]
    for bad in [*changed, *others, token[:-1], token + "A", token.lower(), token.replace(".", "%2E.")]:
        assert client.post(f"/u/{bad}", data=ONE_CLICK).status_code == 200
    assert entries(session) == []


def test_tokens_survive_being_put_into_a_path(session: Session) -> None:
    """T15: an alphabet that nothing on the way encodes, folds or strips."""
    marketing = purpose(session, "marketing")
    for number in range(50):
        recipient = make_recipient(session, f"a{number}@example.se", id=new_recipient_id())
        token = link(recipient, marketing)
        assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
        assert len(token) <= 80


def test_an_opt_out_cancels_what_waits_for_the_mailbox(client: StrictClient, session: Session, now: datetime) -> None:
    """T13: an old confirmation mail must not turn on what was stopped after it."""
    recipient, marketing = make_recipient(session), purpose(session, "marketing")
    ask_to_turn_on(session, recipient.id, [Asked(marketing, Act.GIVEN)], locale="sv", now=now - timedelta(hours=1))
    session.commit()
    client.post(f"/u/{link(recipient, marketing)}", data=ONE_CLICK)
    (waiting,) = session.scalars(select(ConfirmationRow)).all()
    assert waiting.cancelled_at is not None


def test_no_token_and_no_address_reaches_a_log(client: StrictClient, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    with capture_logs() as logged:
        client.post(f"/u/{token}", data=ONE_CLICK)
        client.post(f"/u/{token}", data={"a": "b"})
        client.post(f"/u/{token[:-1]}", data=ONE_CLICK)
    assert [(line["event"], line.get("reason")) for line in logged] == [
        ("unsubscribe_post_ignored", "other_body"),  # M6: counted
        ("unsubscribe_token_invalid", None),  # M7: its rate is a metric
    ]
    assert token[:20] not in str(logged)


def test_a_server_that_has_not_read_the_purposes_yet_acts_too(client: StrictClient, session: Session) -> None:
    recipient = make_recipient(session)
    tokens = [link(recipient, purpose(session, key)) for key in ("marketing", "events")]
    for number, token in enumerate(tokens, 1):
        with transaction() as other:
            forget_catalogue(other)
        assert client.post(f"/u/{token}", data=ONE_CLICK).status_code == 200
        assert len(entries(session)) == number
    assert verify_ledger(session).is_sound
