"""Planning a takedown: who on the staff sees to it, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.errors import Conflict, InvalidValue
from preferences.domain.photo import TakedownState

from .takedown import open_takedown

_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)


class PlanChanged(Conflict):
    """Somebody else has planned it otherwise meanwhile."""

    code: ClassVar[str] = "takedown_plan_changed"
    title: ClassVar[str] = "The plan was changed meanwhile"


@dataclass(frozen=True, slots=True)
class TakedownPlan:
    """Who sees to it by when; None: not said."""

    assigned_to: StaffId | None
    due_on: date | None


def plan_takedown(session: Session, reference: str, plan: TakedownPlan, *, before: TakedownPlan) -> None:
    """Plan a case that is planned as `before`; somebody's name on it makes it in progress.

    Raises UnknownTakedown, TakedownClosed, InvalidValue for a day that cannot be meant; PlanChanged where somebody was faster.
    """
    if plan.due_on is not None and not _FIRST <= plan.due_on <= _LAST:
        raise InvalidValue("This day cannot be meant.", pointer="/due_on")
    row = open_takedown(session, reference)
    if (row.assigned_to, row.due_on) != (before.assigned_to, before.due_on):
        raise PlanChanged("Somebody else has planned it otherwise meanwhile.")
    row.assigned_to, row.due_on = plan.assigned_to, plan.due_on
    if plan.assigned_to is not None:
        row.state = TakedownState.IN_PROGRESS
    session.flush()
