"""States in which the admin pages are looked at, and the way in for the browser."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from preferences.domain.acts import Actor
from preferences.domain.photo import TakedownWhat
from preferences.domain.rights import RightsKind
from preferences.domain.roles import Role
from preferences.models.import_batch import ImportBatchRow, ImportStage
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.rights import RightsRequestRow
from preferences.models.training import TrainingRow
from preferences.queries.staff import StaffView
from preferences.services.staff import change_language
from preferences.services.staff_sessions import begin_session
from preferences.web.admin.cookie import COOKIE
from tests.factories import make_recipient
from tests.support.staff import make_staff

from .looking import Looker

NOW = datetime.now(UTC)


def enter_admin(session: Session, looker: Looker, role: Role = Role.ADMINISTRATOR) -> StaffView:
    """Sign somebody in, in the language that is looked at."""
    me = make_staff(session, role)
    change_language(session, me.id, looker.locale)
    secret = begin_session(session, me.id, browser="Firefox, Linux", now=datetime.now(UTC)).secret
    session.commit()
    looker.page.context.add_cookies([{"name": COOKIE, "value": secret, "url": f"{looker.url}/admin"}])
    return me


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
    session.commit()
