"""Says why rows are held: what stands in the way, by whom, how and since when. One query for the whole batch."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from preferences.domain.eligibility import Reason
from preferences.queries.imports.intake import who_did

from .decide import Decided

_WHAT = {
    Reason.REFUSED: "Refused",
    Reason.WITHDRAWN: "Withdrawn",
    Reason.OBJECTED: "Objected to",
    Reason.REVOKED: "Revoked",
    Reason.PAUSED: "Paused",
    Reason.SUPPRESSED_ERASED: "Erased at their request",
    Reason.SUPPRESSED_GLOBAL_STOP: "Everything stopped",
    Reason.SUPPRESSED_COMPLAINT: "Reported as spam",
    Reason.RESTRICTED: "Processing is restricted at the person's request (GDPR 18).",
}
_ONLY = "Only the person's own mailbox can lift it."


def explain_held(session: Session, rows: list[Decided]) -> None:
    """Fill in the details of held rows."""
    held = [one for one in rows if one.verdict is not None]
    entries = {entry for one in held if (entry := _entry_id(one)) is not None}
    who = who_did(session, entries)
    for one in held:
        one.result = one.result._replace(detail=_sentence(one, who))


def _entry_id(one: Decided) -> int | None:
    if one.verdict is None or one.verdict.choice is None:
        return None
    choice = one.verdict.choice
    return choice.pause_entry_id if one.verdict.reason is Reason.PAUSED else choice.entry_id


def _sentence(one: Decided, who: dict[int, str]) -> str:
    verdict = one.verdict
    if verdict is None or verdict.reason is None:
        return ""
    what = _WHAT[verdict.reason]
    if verdict.suppression is not None:
        since, source = verdict.suppression.since, verdict.suppression.source
        keep = "Nothing of it is stored." if verdict.reason is Reason.SUPPRESSED_ERASED else _ONLY
        return f"{what} on {_day(since)} ({source}). {keep}"
    if verdict.choice is None:
        return what
    if verdict.reason is Reason.PAUSED:
        until = f" until {_day(verdict.choice.paused_until)}" if verdict.choice.paused_until else ""
        return f"{what} by {who.get(_entry_id(one) or 0, 'an earlier line')}{until}. {_ONLY}"
    return f"{what} by {who.get(_entry_id(one) or 0, 'an earlier line')} on {_day(verdict.choice.since)}. {_ONLY}"


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "an unknown day"
