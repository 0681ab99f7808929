"""What the codes of stored data mean, in plain words. Templates under recipient/own/ call these.

An unknown code is shown as it is; a test holds every vocabulary complete, so that nobody reads a code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from babel import Locale
from flask_babel import format_datetime, get_locale, gettext, lazy_gettext

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.eligibility import Reason, RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.profile import PROFILE_FIELDS
from preferences.domain.purpose import EVERYTHING_KEY, LawfulBasis
from preferences.domain.reasons import StopReason
from preferences.domain.rights import RightsKind, RightsState
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.queries.choices.history import HistoryEntry
from preferences.queries.mailers.mailers import MailerView
from preferences.web.dates import date_in_words, in_words
from preferences.web.locale import request_locale
from preferences.web.recipient import blueprint

_ = lazy_gettext

WORDS: dict[str, Mapping[str, Any]] = {
    "act": {
        Act.GIVEN: _("You said yes"),
        Act.REFUSED: _("You said no"),
        Act.WITHDRAWN: _("You withdrew your consent"),
        Act.OBJECTED: _("You objected"),
        Act.OBJECTION_LIFTED: _("You took back your objection"),
        Act.PAUSED: _("You paused it"),
        Act.RESUMED: _("You ended the pause"),
        Act.REVOKED: _("It was stopped by us"),
    },
    "method": {
        Method.ONE_CLICK: _("With the unsubscribe button of a mail program"),
        Method.UNSUBSCRIBE_PAGE: _("On the page of an unsubscribe link"),
        Method.PREFERENCE_PAGE: _("On the page with your choices"),
        Method.MAILTO: _("With an email to us"),
        Method.DOUBLE_OPT_IN: _("Asked for on a page and confirmed from your mailbox"),
        Method.IMPORT: _("From a list that we imported"),
        Method.API: _("Reported by another system of ours"),
        Method.STAFF: _("Entered by our staff"),
        Method.ESP: _("Reported by a supplier that sends mail for us"),
    },
    "actor": {
        Actor.RECIPIENT: _("You"),
        Actor.MAILER: _("A sender"),
        Actor.STAFF: _("Our staff"),
        Actor.ESP: _("A supplier that sends mail for us"),
        Actor.SYSTEM: _("This service"),
    },
    "basis": {
        LawfulBasis.CONSENT: _("Your consent"),
        LawfulBasis.SOFT_OPT_IN: _("You are a customer and have not said no"),
        LawfulBasis.LEGITIMATE_INTEREST: _("Our legitimate interest, as long as you do not object"),
    },
    "suppression": {
        SuppressionReason.HARD_BOUNCE: _("Mail to your address came back: its mail server refused it for good"),
        SuppressionReason.COMPLAINT: _("An email from us was reported as spam"),
        SuppressionReason.GLOBAL_STOP: _("You stopped all mailings"),
        SuppressionReason.ERASED: _("Your data was erased, and nothing may be sent"),
        SuppressionReason.MANUAL: _("Our staff stopped mail to your address"),
    },
    "scope": {
        SuppressionScope.ALL: _("Stops every email"),
        SuppressionScope.INFORMATIONAL: _("Stops information; answers and messages about orders still come"),
        SuppressionScope.PURPOSE: _("Stops this one thing"),
    },
    "status": {
        RecipientStatus.ACTIVE: _("In use"),
        RecipientStatus.RESTRICTED: _("Blocked at your request"),
        RecipientStatus.ERASED: _("Erased"),
    },
    "request": {
        RightsKind.ACCESS: _("See what we hold"),
        RightsKind.CORRECT: _("Correct something"),
        RightsKind.COMPLETE: _("Complete something"),
        RightsKind.ERASE: _("Erase your data"),
        RightsKind.RESTRICT: _("Block your data"),
        RightsKind.EXPORT: _("Get a copy of your data"),
        RightsKind.OBJECT: _("Object to a use of your data"),
        RightsKind.WITHDRAW_STORAGE: _("Withdraw your consent to storage"),
        RightsKind.OTHER: _("Something else"),
    },
    "asked": {
        RightsKind.OBJECT: _("I object to a use of my data"),
        RightsKind.ACCESS: _("I want to know something that does not stand here"),
        RightsKind.CORRECT: _("Something is wrong that I cannot change myself"),
        RightsKind.OTHER: _("Something else"),
    },
    "request_state": {
        RightsState.OPEN: _("We are working on it"),
        RightsState.EXTENDED: _("We need more time and have told you why"),
        RightsState.FULFILLED: _("Done"),
        RightsState.REFUSED: _("Refused, with reasons"),
        RightsState.WITHDRAWN: _("You took it back"),
    },
    "takedown": {
        TakedownWhat.NAME: _("Your name"),
        TakedownWhat.IMAGE: _("Your image"),
        TakedownWhat.BOTH: _("Your name and your image"),
    },
    "takedown_state": {
        TakedownState.RECEIVED: _("Received"),
        TakedownState.IN_PROGRESS: _("We are working on it"),
        TakedownState.DONE: _("Done"),
        TakedownState.REFUSED: _("Refused, with reasons"),
    },
    "stop_reason": {
        StopReason.TOO_OFTEN: _("Too often"),
        StopReason.NOT_RELEVANT: _("Not relevant to me"),
        StopReason.NEVER_ASKED: _("I never asked for it"),
        StopReason.CHANGED_WORK: _("I have changed work"),
        StopReason.OTHER: _("Something else"),
    },
    "refused": {
        Reason.PURPOSE_ARCHIVED: _("we had ended it"),
        Reason.SUPPRESSED_ERASED: _("your data had been erased"),
        Reason.SUPPRESSED_GLOBAL_STOP: _("you had stopped all mailings"),
        Reason.SUPPRESSED_HARD_BOUNCE: _("mail to your address had come back"),
        Reason.SUPPRESSED_COMPLAINT: _("an email from us had been reported as spam"),
        Reason.SUPPRESSED_MANUAL: _("our staff had stopped mail to your address"),
        Reason.RESTRICTED: _("your data was blocked"),
        Reason.REFUSED: _("you had said no"),
        Reason.WITHDRAWN: _("you had withdrawn your consent"),
        Reason.OBJECTED: _("you had objected"),
        Reason.REVOKED: _("we had stopped it"),
        Reason.PAUSED: _("you had paused it"),
        Reason.NO_BASIS: _("you had not said yes"),
    },
    "event": {
        EventType.CHOICE_CHANGED: _("A choice of yours"),
        EventType.RECIPIENT_STOPPED: _("You stopped everything"),
        EventType.RECIPIENT_RESUMED: _("Your stop of everything ended"),
        EventType.RECIPIENT_SUPPRESSED: _("Mail to your address was stopped"),
        EventType.RECIPIENT_ERASED: _("Your data was erased"),
        EventType.RECIPIENT_RESTRICTED: _("Your data was blocked, or the block ended"),
        EventType.RECIPIENT_ADDRESS_CHANGED: _("Your address changed"),
        EventType.RECIPIENT_CORRECTED: _("You corrected your data"),
        EventType.PHOTO_OBJECTION_CHANGED: _("A choice about your name or image"),
        EventType.TAKEDOWN_REQUESTED: _("Something published is to be removed"),
        EventType.POLICY_PUBLISHED: _("Our privacy policy changed"),
    },
    "profile": dict(
        zip(
            PROFILE_FIELDS,
            (
                _("Contact person"),
                _("Company"),
                _("Company form"),
                _("Postal address"),
                _("Telephone"),
                _("Business unit"),
                _("VAT number"),
                _("Licence number"),
                _("Established on"),
                _("User name"),
                _("Holder of domain names"),
            ),
            strict=True,
        )
    ),
    "evidence": {
        "source": _("Where it comes from"),
        "wording": _("The words used there"),
        "sale_reference": _("The sale"),
        "similar_product": _("A similar product"),
        "opt_out_offered": _("You could say no then"),
        "asked_at": _("Asked for"),
        "confirmed_at": _("Confirmed from your mailbox"),
    },
    "mail": {
        "confirm_choices": _("Confirm your choice"),
        "fresh_link": _("A new link to your choices"),
        "step_up": _("A link and code to what we know about you"),
        "photo_notice": _("Before a training: photos may be published"),
        "training_cancelled": _("A training is cancelled"),
        "takedown_received": _("The receipt of something to be removed"),
        "takedown_done": _("What became of something to be removed"),
        "policy_changed": _("A change of how we handle personal data"),
        "burst_question": _("A question whether it was you who unsubscribed"),
        "receipt": _("The receipt of what you changed"),
        "rights_received": _("The receipt of a request"),
        "rights_extended": _("A later date for our answer"),
        "rights_answered": _("Our answer to a request"),
        "rights_copy": _("The way to your copy"),
        "address_old": _("A question about your change of address"),
        "address_new": _("A question whether an address is yours"),
        "sign_up": _("A question whether it was you who signed up"),
        "already_signed_up": _("An answer to a sign-up: nothing was left to confirm"),
        "erased": _("The receipt of the erasure"),
        "newsletter": _("A newsletter"),
    },
}


@blueprint.app_template_global("in_plain_words")
def in_plain_words(vocabulary: str, code: str) -> Any:
    """What a code means, in the language of the page."""
    return WORDS[vocabulary].get(code, code)


@blueprint.app_template_global("act_in_words")
def act_in_words(entry: HistoryEntry) -> Any:
    """What was done, as one says it."""
    if entry.undoes:
        return _("You took back what you had just done")
    if entry.purpose_key == EVERYTHING_KEY:
        return (
            _("You stopped all mailings") if entry.act is Act.OBJECTED else _("You took back your stop of all mailings")
        )
    if entry.act is Act.GIVEN and entry.basis is LawfulBasis.SOFT_OPT_IN:
        return _("You became a customer and did not say no")
    return WORDS["act"][entry.act]


@blueprint.app_template_global("source_in_words")
def source_in_words(source: str, mailers: Sequence[MailerView]) -> Any:
    """Where something came from: `api:<mailer>`, `import:<id>`, `subscribe:<form>`, `staff:<id>`, or a method.

    Eager texts: a lazy one counts as markup, and what stands in `name` comes from elsewhere.
    """
    kind, _colon, name = source.partition(":")
    if kind == "api":
        name = next((one.name for one in mailers if one.key == name), name)
        return gettext("Another system of ours, “%(name)s”", name=name)
    if kind == "subscribe":
        return gettext("You signed up yourself, with the form “%(name)s”", name=name)
    if kind == "address_change":
        return gettext("Your change of address")
    if kind == "import":
        return gettext("A list that we imported, number %(name)s", name=name)
    if kind == "staff":
        return gettext("Our staff")
    if kind == "esp":
        return gettext("A supplier that sends mail for us, “%(name)s”", name=name)
    return WORDS["method"].get(kind, source)


@blueprint.app_template_global("evidence_in_words")
def evidence_in_words(field: str, value: Any) -> Any:
    """What backs an act: our own codes and times in words, everything else as it was given."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if field in {"asked_at", "confirmed_at"}:
        try:
            return on_moment(datetime.fromisoformat(value))
        except (TypeError, ValueError):
            return value
    is_our_own = field == "source" and (value == Method.PREFERENCE_PAGE or str(value).startswith("subscribe:"))
    return source_in_words(value, ()) if is_our_own else value


@blueprint.app_template_filter("on_moment")
def on_moment(moment: datetime) -> str:
    """Date and time in words, in the organisation's time zone."""
    return str(format_datetime(moment, "d MMMM y HH:mm"))


@blueprint.app_template_filter("on_day")
def on_day(day: date) -> str:
    """A date in words; of a moment, the date in the organisation's time zone."""
    return in_words(day) if isinstance(day, datetime) else date_in_words(day, request_locale())


@blueprint.app_template_global("language_name")
def language_name(code: str) -> str:
    """The name of a language in the language of the page."""
    return Locale.parse(code).get_display_name(get_locale()) or code
