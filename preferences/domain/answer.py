"""What a page shows as the person's own answer: yes, no, or not answered yet (D3)."""

from __future__ import annotations

from enum import StrEnum

from .eligibility import Allowed, Decision, Reason


class Answer(StrEnum):
    """A state as the page shows it: unset differs from no (D3)."""

    YES = "yes"
    NO = "no"
    UNSET = "unset"


def shown_answer(decision: Decision) -> Answer:
    """How a page shows a decision made from the person's own choices, pauses and suppressions left out of it."""
    if isinstance(decision, Allowed):
        return Answer.YES
    if decision.reason is Reason.NO_BASIS:
        return Answer.UNSET
    return Answer.NO
