"""A crowd of people with everything that lists of the admin pages are made of: for whoever counts what a page asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.audit import AuditAction, AuditObject
from preferences.domain.esp_events import EspEventType
from preferences.domain.photo import TakedownWhat
from preferences.domain.reasons import StopReason
from preferences.domain.rights import RightsKind
from preferences.domain.suppression import SuppressionReason
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.esp import EspEventRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.rights import RightsRequestRow
from preferences.models.sign_up import SignUpRow
from preferences.models.stop_reason import StopReasonRow
from preferences.models.training import TrainingRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.messages import number_message
from tests.factories import make_recipient, purpose

NOW = datetime.now(UTC)


def gather(session: Session, first: int, many: int, *, busy: RecipientView) -> None:
    """This many people more, counted from `first`, and as much more about the one who is busy. Committed."""
    for number in range(first, first + many):
        one = make_recipient(session, f"person.{number}@company.example", name=f"Nils {number}")
        training = TrainingRow(title=f"Svets {number}", place="Örebro", held_on=date.today(), created_at=NOW)  # noqa: DTZ011
        session.add(training)
        session.flush()
        messages = [number_message(session, 1, name, now=NOW) for name in ("brev", f"brev {number}")]
        for person in (one, busy):
            _acts(session, person, messages)
            _rows(session, person, number, training.id)
        session.commit()


def _acts(session: Session, person: RecipientView, messages: list[int]) -> None:
    """Yes to surveys, no to marketing by a link that many used, no to events by another, and why."""
    for key, act, method, message in (
        ("surveys", Act.GIVEN, Method.PREFERENCE_PAGE, 0),
        ("marketing", Act.WITHDRAWN, Method.ONE_CLICK, messages[0]),
        ("events", Act.OBJECTED, Method.UNSUBSCRIBE_PAGE, messages[1]),
    ):
        new: dict[str, Any] = {"purpose": purpose(session, key), "act": act, "method": method, "occurred_at": NOW}
        entry = record_act(session, NewAct(recipient_id=person.id, reference=message, **new), now=NOW)
    reason = {"message_id": message, "reason": StopReason.TOO_OFTEN, "recorded_at": NOW}
    session.execute(insert(StopReasonRow).values(entry_id=entry, purpose_id=new["purpose"].id, **reason))
    assert person.address_index is not None
    for stop in (SuppressionReason.COMPLAINT, SuppressionReason.MANUAL):
        suppress(session, address_index=person.address_index, reason=stop, source="staff:1", now=NOW)


def _rows(session: Session, person: RecipientView, number: int, training_id: int) -> None:
    tag = f"{number:07}{'B' if person.name is None else 'A'}"
    audit = AuditRow(
        recorded_at=NOW,
        staff_id=1,
        action=AuditAction.ACTED_ON_BEHALF,
        object_kind=AuditObject.RECIPIENT,
        object_id=person.id,
    )
    session.add_all(
        [
            audit,
            ParticipantRow(training_id=training_id, recipient_id=person.id, added_at=NOW),
            TakedownRow(
                reference=f"T-{tag}",
                recipient_id=person.id,
                training_id=training_id,
                url="https://social.example/p/1",
                what=TakedownWhat.BOTH,
                requested_at=NOW,
                assigned_to=1,
            ),
            RightsRequestRow(
                reference=f"R-{tag}",
                recipient_id=person.id,
                kind=RightsKind.ACCESS,
                locale="sv",
                received_at=NOW,
                due_on=(NOW + timedelta(days=28)).date(),
            ),
            EspEventRow(
                mailer_id=1,
                provider="ses",
                event_key=tag.encode() * 2,
                type=EspEventType.BOUNCED,
                native="bounce",
                address_index=person.address_index,
                received_at=NOW,
            ),
            SignUpRow(
                form_key=f"brev-{number}",
                address_index=person.address_index,
                asked=[],
                locale="sv",
                asked_at=NOW,
                expires_at=NOW + timedelta(days=7),
            ),
        ]
    )
    session.flush()
    session.add(AuditReasonRow(audit_id=audit.id, reason="De ringde"))
