"""A day on which a bit of everything needs a person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.photo import TakedownWhat
from preferences.domain.rights import RightsKind
from preferences.models.endpoint import EndpointRow
from preferences.models.import_batch import ImportBatchRow, ImportStage
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.rights import RightsRequestRow
from preferences.models.training import TrainingRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.consent import NewAct, record_act
from tests.factories import make_recipient, purpose

from .webhooks import make_endpoint

NOW = datetime.now(UTC)


def busy_day(session: Session) -> None:
    """A bit of everything that needs a person."""
    anna = make_recipient(session, "anna.karlsson@example.se")
    today = date.today()  # noqa: DTZ011 - a day either way does not matter to the picture
    for number, (kind, days) in enumerate(
        ((RightsKind.ACCESS, -3), (RightsKind.ERASE, 0), (RightsKind.CORRECT, 5), (RightsKind.WITHDRAW_STORAGE, 20))
    ):
        session.add(
            RightsRequestRow(
                reference=f"R-7K3F9Q2{number}",
                recipient_id=anna.id,
                kind=kind,
                locale="sv",
                received_at=NOW - timedelta(days=28 - days),
                due_on=today + timedelta(days=days),
            )
        )
    session.add(
        TakedownRow(
            reference="T-7K3F9Q2M",
            recipient_id=anna.id,
            url="https://social.example/p/1",
            what=TakedownWhat.BOTH,
            requested_at=NOW - timedelta(days=2),
        )
    )
    training = TrainingRow(
        title="Elsäkerhet för installatörer", place="Göteborg", held_on=today + timedelta(days=6), created_at=NOW
    )
    session.add(training)
    session.flush()
    session.add(ParticipantRow(training_id=training.id, recipient_id=anna.id, added_at=NOW))
    session.add(
        ImportBatchRow(
            stage=ImportStage.PLANNED,
            filename="kunder-november-från-mässan-i-jönköping.csv",
            reading={},
            actor=Actor.STAFF,
            planned={"held": 43, "held/withdrawn": 43, "new": 1200},
            applied={},
            created_at=NOW,
        )
    )
    _late_and_failing(session, anna)
    session.commit()


def _late_and_failing(session: Session, anna: RecipientView) -> None:
    """A mailer that has not heard of an opt-out for three days, and whose endpoint does not answer."""
    endpoint, _ = make_endpoint(session, "https://hooks.example.com/x", mailer="nyhetsbrev", description="Produktion")
    session.get_one(EndpointRow, endpoint.id).failing_since = NOW - timedelta(hours=5)
    act = NewAct(
        recipient_id=anna.id,
        purpose=purpose(session, "marketing"),
        act=Act.REFUSED,
        method=Method.PREFERENCE_PAGE,
        occurred_at=NOW - timedelta(days=3),
    )
    record_act(session, act, now=NOW - timedelta(days=3))
