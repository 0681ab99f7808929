"""Words of the pages about trainings and photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext

from preferences.domain.eligibility import Reason
from preferences.queries.photos.training_work import NoticeState

_ = lazy_gettext

PHOTO_WORDS: dict[str, Mapping[Any, Any]] = {
    "photo_notice": {
        NoticeState.READY: _("Not told yet"),
        NoticeState.WAITING: _("On its way"),
        NoticeState.SENT: _("Notice sent"),
        NoticeState.TOLD: _("Has been told"),
        NoticeState.NOT_SENT: _("Could not be sent"),
        NoticeState.ERASED: _("Is erased"),
        NoticeState.RESTRICTED: _("Their data is blocked"),
        NoticeState.BOUNCED: _("The address bounces"),
        NoticeState.STOPPED: _("The address is stopped"),
        NoticeState.MISTAKEN: _("Knows it as cancelled"),
        NoticeState.NO_NEED: _("Has had no notice"),
    },
    "photo_reason": {
        Reason.PURPOSE_ARCHIVED: _("the purpose is archived"),
        Reason.SUPPRESSED_ERASED: _("was erased"),
        Reason.SUPPRESSED_GLOBAL_STOP: _("stopped everything"),
        Reason.SUPPRESSED_HARD_BOUNCE: _("the address bounces"),
        Reason.SUPPRESSED_COMPLAINT: _("reported a message as spam"),
        Reason.SUPPRESSED_MANUAL: _("the address is stopped"),
        Reason.INVALID_ADDRESS: _("unknown: was never told"),
        Reason.UNKNOWN_RECIPIENT: _("unknown: was never told"),
        Reason.ERASED: _("was erased"),
        Reason.RESTRICTED: _("their data is blocked"),
        Reason.REFUSED: _("answered no"),
        Reason.WITHDRAWN: _("took back their consent"),
        Reason.OBJECTED: _("said no"),
        Reason.REVOKED: _("we took it back"),
        Reason.PAUSED: _("paused it"),
        Reason.NO_BASIS: _("has not consented"),
        Reason.ALLOWED: _("may be shown"),
    },
}

NOT_SENT: Mapping[str, Any] = {
    **PHOTO_WORDS["photo_reason"],
    Reason.INVALID_ADDRESS: _("the address cannot be used"),
    Reason.UNKNOWN_RECIPIENT: _("is not known any more"),
    "not_on_the_training": _("was taken off the list"),
    "training_over": _("the training was over"),
    "training_cancelled": _("the training was cancelled"),
    "training_takes_place": _("the training took place after all"),
    "suppressed": _("the address is stopped"),
    "limited": _("had too many mails of ours lately"),
    "unreadable": _("the address could not be read"),
}
"""Why a notice did not go out, where nothing was tried; everything else is what the mail server said."""


def not_sent_in_words(outcome: str) -> str:
    """Why a notice was not sent (`training_over`, `failed: refused 550 5.1.1` …); the code where there is no word."""
    how, _colon, code = outcome.partition(": ")
    if how == "given up":
        return str(gettext("given up after several attempts: %(answer)s", answer=code))
    if how == "failed" and code not in NOT_SENT:
        return str(gettext("the mail server did not take it: %(answer)s", answer=code))
    return str(NOT_SENT.get(code or how, outcome))
