"""A person about whom everything is stored that can be: for copies that must be complete."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import RecipientId
from preferences.domain.esp_events import EspEventType, Severity
from preferences.domain.events import EventType
from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.policy import PolicyText, Weight
from preferences.domain.purpose import LawfulBasis
from preferences.domain.reasons import StopReason
from preferences.domain.rights import IdentityState, RightsKind, RightsState
from preferences.domain.suppression import SuppressionReason
from preferences.models.esp import EspEventRow
from preferences.models.ledger import ConfirmationRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.policy import PolicyNoticeRow
from preferences.models.rights import AddressChangeRow, RightsRequestRow
from preferences.models.sign_up import SignUpRow
from preferences.models.step_up import StepUpRow
from preferences.models.stop_reason import StopReasonRow
from preferences.models.suppression import SuppressionRow
from preferences.models.training import TrainingRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.messages import number_message
from preferences.services.outbox.outbox import enqueue_mail, tell_change
from preferences.services.policy.policy import announce_portion, begin_announcement, publish_policy
from tests.factories import act, make_key, make_recipient, purpose

PROFILE = {
    "contact_person": "Anna Åkesson-Öberg",
    "company_name": "Åkessons Rör AB",
    "company_form": "Aktiebolag",
    "address": "Storgatan 1\n111 22 Stockholm",
    "telephone": "+46 8 123 45 67",
    "business_unit": "Service <nord>",
    "vat_number": "SE556677889901",
    "licence_number": "L-2291",
    "established_on": "1987-04-01",
    "username": "anna.a",
    "domain_holder": "Anna Åkesson, anna@example.se",
}


def make_full_person(session: Session) -> RecipientView:
    """Anna, with something in every table that is about persons. Committed."""
    now = datetime.now(UTC) - timedelta(days=2)
    make_key(session)
    mailer = mailer_by_key(session, "newsletter")
    assert mailer is not None
    anna = make_recipient(
        session,
        "Anna.Akesson@example.se",
        name="Anna Åkesson",
        external_id="kund-10027",
        profile=PROFILE,
        locale="sv",
        source="api:newsletter",
    )
    message = number_message(session, mailer.id, "nyhetsbrev-2026-11", now=now)
    session.commit()
    _acts(session, anna, mailer_id=mailer.id, message=message)
    session.add(
        EspEventRow(
            mailer_id=mailer.id,
            provider="ses",
            event_key=b"k" * 16,
            type=EspEventType.BOUNCED,
            native="Bounce",
            severity=Severity.SOFT,
            address_index=anna.address_index,
            payload={"eventType": "Bounce"},
            received_at=now,
            done_at=now,
            outcome="counted",
        )
    )
    _trainings(session, anna, now)
    _requests(session, anna, now)
    _waiting(session, anna, now)
    session.commit()
    return anna


def _acts(session: Session, anna: RecipientView, *, mailer_id: int, message: int) -> None:
    reported: dict[str, Any] = {"method": Method.API, "actor": Actor.MAILER, "actor_id": mailer_id}
    sale = {"source": "webshop", "sale_reference": "order 9", "similar_product": "valves", "opt_out_offered": True}
    act(session, anna, "marketing", Act.GIVEN, basis=LawfulBasis.SOFT_OPT_IN, evidence=sale, **reported)
    shown = {"notice_version_id": purpose(session, "surveys").notice_version_id, "locale": "sv"}
    act(session, anna, "surveys", Act.GIVEN, method=Method.PREFERENCE_PAGE, **shown)
    stop = act(session, anna, "surveys", Act.WITHDRAWN, method=Method.ONE_CLICK, reference=message)
    until = datetime.now(UTC) + timedelta(days=60)
    act(session, anna, "marketing", Act.PAUSED, method=Method.PREFERENCE_PAGE, paused_until=until)
    session.add(
        StopReasonRow(
            entry_id=stop,
            purpose_id=purpose(session, "surveys").id,
            message_id=message,
            reason=StopReason.TOO_OFTEN,
            recorded_at=datetime.now(UTC),
        )
    )
    session.commit()


def _trainings(session: Session, anna: RecipientView, now: datetime) -> None:
    training = TrainingRow(title="Svetskurs A", place="Örebro", held_on=date(2026, 12, 3), created_at=now)
    session.add(training)
    session.flush()
    session.add(
        ParticipantRow(
            training_id=training.id, recipient_id=anna.id, added_at=now, notified_at=now, cancellation_told_at=now
        )
    )
    session.commit()
    act(session, anna, "photo_image", Act.OBJECTED, method=Method.PREFERENCE_PAGE, training_id=training.id)
    session.add(
        TakedownRow(
            reference="T-AAAA0001",
            recipient_id=anna.id,
            training_id=training.id,
            url="https://social.example/p/77",
            what=TakedownWhat.BOTH,
            note="Tredje bilden",
            state=TakedownState.DONE,
            requested_at=now,
            closed_at=now,
            answer="Borttagen",
            assigned_to=1,
            due_on=now.date(),
            proof="Sidan svarar 404",
        )
    )


def _requests(session: Session, anna: RecipientView, now: datetime) -> None:
    session.add(
        RightsRequestRow(
            reference="R-AAAA0001",
            recipient_id=anna.id,
            kind=RightsKind.CORRECT,
            state=RightsState.EXTENDED,
            details={"field": "company_name", "wanted": "Åkessons Rör & Värme AB"},
            locale="sv",
            received_at=now,
            due_on=(now + timedelta(days=28)).date(),
            extension_reason="Vi väntar på Bolagsverket",
        )
    )
    session.add(
        RightsRequestRow(
            reference="R-AAAA0002",
            recipient_id=anna.id,
            kind=RightsKind.ACCESS,
            state=RightsState.FULFILLED,
            locale="sv",
            received_at=now,
            due_on=(now + timedelta(days=28)).date(),
            closed_at=now,
            answer="Se bilagan",
            identity=IdentityState.CONFIRMED,
            identity_proof="Körkort, visat på kontoret",
        )
    )
    session.add(
        AddressChangeRow(
            recipient_id=anna.id,
            new_address="anna@nyadress.example",
            new_index=b"n" * 16,
            locale="sv",
            asked_at=now,
            expires_at=now + timedelta(days=1),
            old_confirmed_at=now,
            new_confirmed_at=now,
            done_at=now,
            cancelled_at=now,
        )
    )


def _waiting(session: Session, anna: RecipientView, now: datetime) -> None:
    assert anna.address_index is not None
    surveys = purpose(session, "surveys")
    asked = {"purpose_id": surveys.id, "notice_version_id": surveys.notice_version_id, "training_id": 0}
    times = {"asked_at": now, "expires_at": now + timedelta(days=7), "confirmed_at": now}
    session.execute(
        insert(ConfirmationRow),
        {
            "recipient_id": anna.id,
            "asked": [{**asked, "act": "given", "basis": "consent"}],
            "locale": "sv",
            "cancelled_at": now,
            **times,
        },
    )
    session.add(
        SignUpRow(
            form_key="news",
            address="Anna.Akesson@example.se",
            address_index=anna.address_index,
            name="Anna i formuläret",
            asked=[asked],
            locale="sv",
            **times,
        )
    )
    suppress(session, address_index=anna.address_index, reason=SuppressionReason.COMPLAINT, source="esp:ses", now=now)
    suppress(
        session,
        address_index=anna.address_index,
        reason=SuppressionReason.MANUAL,
        source="staff:7",
        now=now,
        purpose_id=surveys.id,
    )
    session.execute(
        update(SuppressionRow).where(SuppressionRow.reason == SuppressionReason.COMPLAINT).values(lifted_at=now)
    )
    parameters = {"confirmation_id": 1, "purpose": "surveys"}
    enqueue_mail(session, "confirm_choices", recipient_id=RecipientId(anna.id), parameters=parameters, now=now)
    tell_change(
        session,
        EventType.RECIPIENT_SUPPRESSED,
        recipient_id=anna.id,
        now=now,
        data={"reason": SuppressionReason.MANUAL, "scope": "purpose"},
    )
    texts = [PolicyText(locale, "Nytt.", "Allt.") for locale in ("sv", "en")]
    number = publish_policy(session, texts, Weight.MAJOR, wanted=("sv", "en"), now=now)
    begin_announcement(session, number, now=now)
    announce_portion(session, now=now)
    session.execute(update(PolicyNoticeRow).values(outcome="sent", done_at=now))
    session.add(
        StepUpRow(
            recipient_id=anna.id,
            code_digest=b"c" * 32,
            attempts=2,
            asked_at=now,
            expires_at=now,
            opened_at=now,
            session_digest=b"s" * 32,
            ended_at=now,
        )
    )
