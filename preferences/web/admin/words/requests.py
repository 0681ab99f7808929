"""How requests come, who asks, why nothing is done, and what was done with them, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext

from preferences.domain.audit import AuditAction
from preferences.domain.rights import AnswerBy, IdentityState, RefusalGround, RequestChannel, RequestStep
from preferences.queries.rights.request_history import RequestEvent
from preferences.web.dates import date_in_words
from preferences.web.locale import request_locale

from .audit import action_in_words

_ = lazy_gettext

REQUEST_WORDS: dict[str, Mapping[Any, Any]] = {
    "request_channel": {
        RequestChannel.PAGE: _("On their own page"),
        RequestChannel.LETTER: _("By letter"),
        RequestChannel.TELEPHONE: _("By telephone"),
        RequestChannel.MAIL: _("By email"),
        RequestChannel.IN_PERSON: _("In person"),
    },
    "identity": {
        IdentityState.MAILBOX: _("The mailbox was proved before it was asked for."),
        IdentityState.UNCHECKED: _("Not checked yet"),
        IdentityState.CONFIRMED: _("Checked by staff"),
    },
    "refusal": {
        RefusalGround.UNFOUNDED: _("Manifestly unfounded (GDPR 12(5))"),
        RefusalGround.EXCESSIVE: _("Excessive, such as the same again and again (GDPR 12(5))"),
        RefusalGround.IDENTITY: _("We cannot make sure who asks (GDPR 12(2), 12(6))"),
        RefusalGround.MUST_BE_KEPT: _("We must keep it, or need it for a legal claim (GDPR 17(3))"),
        RefusalGround.NO_SUCH_RIGHT: _("The right does not apply here"),
    },
    "request_step": {
        RequestStep.PERSON_FOUND: _("Found who it is"),
        RequestStep.COPY_MAILED: _("Mailed the way to the copy"),
        RequestStep.COPY_TAKEN: _("Took the copy, for a letter"),
        RequestStep.FIELDS_NOTED: _("Noted what shall be corrected"),
        RequestStep.FIELDS_WRITTEN: _("Wrote the wanted fields"),
        RequestStep.RESTRICTED: _("Blocked the data"),
        RequestStep.OBJECTED: _("Recorded the objection"),
        RequestStep.ERASED: _("Erased the person"),
        RequestStep.POSTED: _("Posted a letter"),
    },
    "answer_by": {
        AnswerBy.MAIL: _("by email"),
        AnswerBy.LETTER: _("by letter"),
    },
}


def event_in_words(event: RequestEvent) -> str:
    """What was done."""
    data = event.data
    match event.action:
        case AuditAction.REQUEST_REGISTERED:
            return str(
                gettext(
                    "Registered; %(how)s", how=_word("request_channel", RequestChannel, data.get("channel")).lower()
                )
            )
        case AuditAction.REQUEST_IDENTITY_SET:
            return str(
                gettext("Who asks: %(state)s", state=_word("identity", IdentityState, data.get("identity")).lower())
            )
        case AuditAction.REQUEST_EXTENDED:
            until = date_in_words(date.fromisoformat(str(data["until"])), request_locale())
            return str(gettext("Extended until %(date)s", date=until))
        case AuditAction.REQUEST_ANSWERED:
            return _answered(data)
        case AuditAction.REQUEST_CHANGED if data.get("step"):
            return _word("request_step", RequestStep, data["step"])
        case _:
            return action_in_words(event.action)


def _answered(data: Mapping[str, Any]) -> str:
    by = _word("answer_by", AnswerBy, data.get("by") or AnswerBy.MAIL)
    if data.get("outcome") != "refused":
        return str(gettext("Fulfilled, answered %(by)s", by=by))
    ground = _word("refusal", RefusalGround, data.get("ground"))
    if not ground:
        return str(gettext("Refused, answered %(by)s", by=by))
    return str(gettext("Refused, answered %(by)s. %(ground)s", by=by, ground=ground))


def _word(kind: str, vocabulary: Any, code: Any) -> str:
    """A word of ours for a code that an old entry may hold; empty for one that is not known any more."""
    return str(REQUEST_WORDS[kind][vocabulary(code)]) if code in [*vocabulary] else ""
