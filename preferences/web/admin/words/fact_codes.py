"""What the codes mean that stand as facts in the audit. A test reads the source for codes without words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.audit_facts import AuditFact
from preferences.domain.photo import CancellationFor
from preferences.domain.policy import Weight
from preferences.domain.single_sign_on import WhyNot
from preferences.services.choices.on_behalf import Outcome
from preferences.services.purposes.purpose_order import Step
from preferences.services.recipients.link_requests import LinkRequest

from .audit import ACTIONS, OBJECTS
from .words import WORDS

_ = lazy_gettext

_SINGLE_SIGN_ON = {"single_sign_on": _("single sign-on")}
_WHATS: Mapping[str, Any] = {
    "added": _("added"),
    "archived": _("archived"),
    "changed": _("changed"),
    "disabled": _("switched off"),
    "enabled": _("switched on"),
    "hook_added": _("reports of an ESP set up"),
    "hook_removed": _("reports of an ESP removed"),
    "hook_secrets": _("secrets of an ESP replaced"),
    "removed": _("removed"),
    "restored": _("taken up again"),
    "secret": _("another secret"),
    "tested": _("test message sent"),
    "audit": _("the audit"),
    "choices": _("choices"),
    "own_data": _("their own data"),
    "photos": _("list for the photographer"),
    "register": _("register of processing"),
    "suppressions": _("stopped addresses"),
}
_WHY_NOT: Mapping[str, Any] = {
    WhyNot.DENIED: _("they or the identity provider said no"),
    WhyNot.PROVIDER_ERROR: _("the identity provider answered with an error"),
    WhyNot.STALE: _("begun too long ago, in another browser, or finished before"),
    WhyNot.FORGED: _("the answer is not for what this browser began"),
    WhyNot.UNREACHABLE: _("the identity provider was not reached"),
    WhyNot.UNUSABLE: _("the identity provider's documents cannot be used"),
    WhyNot.CODE_REFUSED: _("the identity provider refused the code"),
    WhyNot.BAD_TOKEN: _("what the identity provider vouched with is not valid"),
    WhyNot.CLOCK: _("the clocks differ"),
    WhyNot.NOT_AGAIN: _("they did not prove once more who they are"),
    WhyNot.TOO_WEAK: _("they signed in too weakly there"),
    WhyNot.UNVERIFIED: _("the identity provider does not vouch for the address"),
    WhyNot.NOT_INVITED: _("nobody has invited them"),
    WhyNot.NO_ROLE: _("no group gives them a role"),
    WhyNot.SOMEBODY_ELSE: _("it belongs to somebody else"),
    WhyNot.DISABLED: _("they are disabled"),
    "provider_only": _("they sign in with single sign-on alone"),
}

CODES: Mapping[AuditFact, tuple[Mapping[Any, Any], ...]] = {
    AuditFact.ABOUT: (WORDS["about"],),
    AuditFact.ACTION: (ACTIONS,),
    AuditFact.BECAUSE: (_SINGLE_SIGN_ON,),
    AuditFact.BY: (
        WORDS["answer_by"],
        {
            "text": _("address, @domain or id"),
            "status": _("state"),
            "purpose": _("purpose"),
            "act": _("where they stand"),
            "method": _("how"),
            "since": _("from"),
            "until": _("to"),
            "said": _("yes or no"),
            "message": _("message"),
            "reason": _("reason"),
            "suppressed": _("what stops the address"),
            "reported": _("what an ESP reported"),
        },
    ),
    AuditFact.CHANNEL: (WORDS["request_channel"],),
    AuditFact.DAYS: ({"0": _("without end")},),
    AuditFact.GROUND: (WORDS["refusal"],),
    AuditFact.IDENTITY: (WORDS["identity"],),
    AuditFact.KEPT_ROLE: (WORDS["role"],),
    AuditFact.LAWFUL_BASIS: (WORDS["lawful_basis"],),
    AuditFact.MOVED: ({Step.UP: _("up"), Step.DOWN: _("down")},),
    AuditFact.OBJECT: (OBJECTS,),
    AuditFact.OUTCOME: (
        WORDS["rights_state"],
        WORDS["takedown_state"],
        {Outcome.RECORDED: _("recorded"), Outcome.UNCHANGED: _("it was so already"), Outcome.ASKED: _("mailbox asked")},
        {
            LinkRequest.MAILED: _("mailed"),
            LinkRequest.UNKNOWN: _("no mail reaches them"),
            LinkRequest.LIMITED: _("not mailed, too many lately"),
        },
    ),
    AuditFact.PART: ({"history": _("History"), "told": _("Who was told")},),
    AuditFact.PAYLOAD: (WORDS["payload"],),
    AuditFact.REASON: (WORDS["suppression"],),
    AuditFact.ROLE: (WORDS["role"],),
    AuditFact.FROM: (WORDS["role"],),
    AuditFact.TELLS: (
        {
            CancellationFor.TOLD: _("those who have had the notice"),
            CancellationFor.EVERYBODY: _("everybody who takes part"),
        },
    ),
    AuditFact.TO: (WORDS["role"],),
    AuditFact.SAID: (WORDS["said"],),
    AuditFact.SCOPES: (WORDS["api_scope"],),
    AuditFact.STEP: (
        WORDS["request_step"],
        {
            "added": _("added"),
            "closed": _("closed"),
            "announced": _("the mailing begun"),
            "paused": _("the mailing paused"),
            "resumed": _("the mailing resumed"),
        },
    ),
    AuditFact.TYPES: (WORDS["event"],),
    AuditFact.WEIGHT: ({Weight.MAJOR: _("major"), Weight.MINOR: _("minor")},),
    AuditFact.WHAT: (_WHATS,),
    AuditFact.WHY: (_WHY_NOT,),
    AuditFact.WITH: (_SINGLE_SIGN_ON,),
}
"""The words for the codes of each fact; where it has several vocabularies, the first that knows the code."""
