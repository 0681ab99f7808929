"""What a person's acts, stops and states are called in the admin pages: about them, never to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import LawfulBasis
from preferences.domain.reasons import StopReason
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.queries.choices.preference_page import State
from preferences.services.choices.on_behalf import Said

_ = lazy_gettext

PEOPLE_WORDS: dict[str, Mapping[Any, Any]] = {
    "act": {
        Act.GIVEN: _("Said yes"),
        Act.REFUSED: _("Said no"),
        Act.WITHDRAWN: _("Withdrew consent"),
        Act.OBJECTED: _("Objected"),
        Act.OBJECTION_LIFTED: _("Took back an objection"),
        Act.PAUSED: _("Paused"),
        Act.RESUMED: _("Ended a pause"),
        Act.REVOKED: _("Stopped by us"),
    },
    "method": {
        Method.ONE_CLICK: _("One-click in the mail program"),
        Method.UNSUBSCRIBE_PAGE: _("Unsubscribe page"),
        Method.PREFERENCE_PAGE: _("Preference page"),
        Method.MAILTO: _("Mail to the unsubscribe address"),
        Method.DOUBLE_OPT_IN: _("Confirmed from the mailbox"),
        Method.IMPORT: _("Import"),
        Method.API: _("Reported by a mailer"),
        Method.STAFF: _("Entered by staff"),
        Method.ESP: _("Reported by an ESP"),
    },
    "actor": {
        Actor.RECIPIENT: _("the person"),
        Actor.MAILER: _("a mailer"),
        Actor.STAFF: _("staff"),
        Actor.ESP: _("an ESP"),
        Actor.SYSTEM: _("the service"),
    },
    "basis": {
        LawfulBasis.CONSENT: _("consent"),
        LawfulBasis.SOFT_OPT_IN: _("customer exception"),
        LawfulBasis.LEGITIMATE_INTEREST: _("legitimate interest"),
    },
    "suppression": {
        SuppressionReason.HARD_BOUNCE: _("The address bounces"),
        SuppressionReason.COMPLAINT: _("Reported us as spam"),
        SuppressionReason.GLOBAL_STOP: _("Stopped everything"),
        SuppressionReason.ERASED: _("Erased"),
        SuppressionReason.MANUAL: _("Stopped by staff"),
    },
    "stop_reason": {
        StopReason.TOO_OFTEN: _("Too often"),
        StopReason.NOT_RELEVANT: _("Not relevant"),
        StopReason.NEVER_ASKED: _("Never asked for it"),
        StopReason.CHANGED_WORK: _("Has another job now"),
        StopReason.OTHER: _("Something else"),
    },
    "scope": {
        SuppressionScope.ALL: _("every message"),
        SuppressionScope.INFORMATIONAL: _("everything but answers to the person"),
        SuppressionScope.PURPOSE: _("one purpose"),
    },
    "recipient_status": {
        RecipientStatus.ACTIVE: _("Active"),
        RecipientStatus.RESTRICTED: _("Blocked"),
        RecipientStatus.ERASED: _("Erased"),
    },
    "control": {
        State.UNSET: _("Not answered: nothing is done"),
        State.CONSENTED: _("Consented"),
        State.CUSTOMER: _("Customer who has not said no"),
        State.INTEREST: _("Not objected"),
        State.LIFTED: _("Took back an objection"),
        State.REFUSED: _("Said no"),
        State.WITHDRAWN: _("Withdrew consent"),
        State.OBJECTED: _("Objected"),
        State.REVOKED: _("Stopped by us"),
    },
    "said": {
        Said.NO: _("They do not want it"),
        Said.STOP_EVERYTHING: _("They want nothing more at all"),
        Said.OUR_STOP: _("We stop it ourselves"),
        Said.ASK: _("They want it: ask their mailbox to confirm"),
        Said.YES: _("They want it, and there is proof"),
    },
}
