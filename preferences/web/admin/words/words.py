"""What codes mean, in the words of the admin pages: `staff_word("role", one.role)` in templates. A test holds each complete."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.basis_rules import BasisLaw
from preferences.domain.own_address import AddressCode
from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.purpose import About, LawfulBasis
from preferences.domain.rights import RightsKind, RightsState
from preferences.domain.roles import Permission, Role
from preferences.domain.staff import PasswordProblem
from preferences.queries.staff.staff import StaffState

from .imports import IMPORT_WORDS
from .mailers import MAILER_WORDS
from .people import PEOPLE_WORDS
from .photos import PHOTO_WORDS
from .records import RECORD_WORDS
from .requests import REQUEST_WORDS

_ = lazy_gettext

WORDS: dict[str, Mapping[Any, Any]] = {
    **IMPORT_WORDS,
    **PEOPLE_WORDS,
    **PHOTO_WORDS,
    **MAILER_WORDS,
    "role": {
        Role.VIEWER: _("Viewer"),
        Role.MARKETER: _("Marketer"),
        Role.PRIVACY_OFFICER: _("Privacy officer"),
        Role.ADMINISTRATOR: _("Administrator"),
    },
    "permission": {
        Permission.BE_STAFF: _("Sign in"),
        Permission.SEE_RECIPIENTS: _("See recipients"),
        Permission.SEE_ADDRESSES: _("See addresses in clear"),
        Permission.ACT_ON_BEHALF: _("Record choices on behalf of people"),
        Permission.SEE_PURPOSES: _("See purposes and texts"),
        Permission.EDIT_PURPOSES: _("Change purposes"),
        Permission.PUBLISH_TEXTS: _("Publish texts"),
        Permission.SEE_TRAININGS: _("See trainings"),
        Permission.MANAGE_TRAININGS: _("Run trainings"),
        Permission.HANDLE_REQUESTS: _("Answer rights requests"),
        Permission.HANDLE_TAKEDOWNS: _("Handle takedowns"),
        Permission.ERASE_RECIPIENTS: _("Erase people"),
        Permission.RUN_IMPORTS: _("Import"),
        Permission.EXPORT_DATA: _("Export"),
        Permission.SEE_NUMBERS: _("See numbers"),
        Permission.SEE_MAILERS: _("See mailers"),
        Permission.MANAGE_MAILERS: _("Manage mailers and keys"),
        Permission.MANAGE_STAFF: _("Manage staff"),
        Permission.SEE_AUDIT: _("See the audit"),
        Permission.SEE_SETTINGS: _("See settings"),
        Permission.RUN_RETENTION: _("Run the retention"),
        Permission.PUBLISH_POLICY: _("Publish the privacy policy"),
    },
    "staff_state": {
        StaffState.INVITED: _("Invited"),
        StaffState.ACTIVE: _("Active"),
        StaffState.DISABLED: _("Disabled"),
    },
    "password": {
        PasswordProblem.TOO_SHORT: _("The password must have at least 12 characters."),
        PasswordProblem.TOO_LONG: _("The password is too long: 256 characters are the most."),
        PasswordProblem.TOO_PLAIN: _(
            "The password is too easy to guess. Take several words that do not belong together."
        ),
        PasswordProblem.PERSONAL: _(
            "The password holds your name, your address or the company's name. Take something else."
        ),
        PasswordProblem.REPEATED_WRONG: _("The two passwords are not the same."),
    },
    "rights": {
        RightsKind.ACCESS: _("Access"),
        RightsKind.CORRECT: _("Correct"),
        RightsKind.COMPLETE: _("Complete"),
        RightsKind.ERASE: _("Erase"),
        RightsKind.RESTRICT: _("Block"),
        RightsKind.EXPORT: _("Copy to take along"),
        RightsKind.OBJECT: _("Object"),
        RightsKind.WITHDRAW_STORAGE: _("Withdraw storage"),
        RightsKind.OTHER: _("Something else"),
    },
    "rights_state": {
        RightsState.OPEN: _("Open"),
        RightsState.EXTENDED: _("Extended"),
        RightsState.FULFILLED: _("Fulfilled"),
        RightsState.REFUSED: _("Refused"),
        RightsState.WITHDRAWN: _("Withdrawn"),
    },
    "lawful_basis": {
        LawfulBasis.CONSENT: _("Consent"),
        LawfulBasis.SOFT_OPT_IN: _("Customer exception"),
        LawfulBasis.LEGITIMATE_INTEREST: _("Legitimate interest"),
    },
    "basis_law": {
        BasisLaw.ADVERTISING_MAIL: _(
            "Advertising by mail needs consent, with the customer exception beside it where you accept that"
            " (19 § of the Swedish Marketing Act)."
        ),
        BasisLaw.ADVERTISING_PICTURE: _(
            "Name or image in advertising needs consent (1 § of the Swedish act on names and pictures in advertising)."
            " An objection is not enough."
        ),
    },
    "own_address": {
        AddressCode.OURS: _("This very installation answers there."),
        AddressCode.NO_NAME: _("The name leads nowhere: there is no such name in DNS."),
        AddressCode.REFUSED: _("Nothing listens there: the connection was refused."),
        AddressCode.TIMED_OUT: _("Nothing answered in time."),
        AddressCode.UNREACHABLE: _("The connection did not come about, or broke."),
        AddressCode.CERTIFICATE_EXPIRED: _("The certificate has expired."),
        AddressCode.CERTIFICATE_NAME: _("The certificate is for another name."),
        AddressCode.CERTIFICATE_UNTRUSTED: _(
            "The certificate is not trusted: nobody that browsers trust has signed it."
        ),
        AddressCode.REDIRECT: _("It redirects. One-click must be answered where it is sent."),
        AddressCode.FAULT: _("A proxy answers, and says that nothing behind it does."),
        AddressCode.SOMEBODY_ELSE: _("Something answers there, but not this installation."),
    },
    "own_address_todo": {
        AddressCode.NO_NAME: _("Add the name in DNS, or correct PREFERENCES_BASE_URL."),
        AddressCode.REFUSED: _("Start what should listen there, and look at the firewall and the port."),
        AddressCode.TIMED_OUT: _("Look at the firewall, and at where the name leads."),
        AddressCode.UNREACHABLE: _("Look at the network, and at what the proxy says in its log."),
        AddressCode.CERTIFICATE_EXPIRED: _("Renew it now: no mail program and no browser gets through."),
        AddressCode.CERTIFICATE_NAME: _("Get a certificate for this name, or correct PREFERENCES_BASE_URL."),
        AddressCode.CERTIFICATE_UNTRUSTED: _(
            "Get one from a public authority, and have the proxy send the whole chain. Is it your company's own that signed"
            " it, name its file in PREFERENCES_BASE_URL_CA."
        ),
        AddressCode.REDIRECT: _("Set PREFERENCES_BASE_URL to where it leads, or have the proxy answer here."),
        AddressCode.FAULT: _("Start the service, and look at where the proxy sends."),
        AddressCode.SOMEBODY_ELSE: _(
            "See where the name leads, and that proxy and worker have this installation's settings and keys."
        ),
    },
    "about": {
        About.MAIL: _("Mail"),
        About.PUBLICATION: _("Name and image"),
        About.EVERYTHING: _("The stop of everything"),
    },
    "takedown": {
        TakedownWhat.NAME: _("Name"),
        TakedownWhat.IMAGE: _("Image"),
        TakedownWhat.BOTH: _("Name and image"),
    },
    "takedown_state": {
        TakedownState.RECEIVED: _("Received"),
        TakedownState.IN_PROGRESS: _("In progress"),
        TakedownState.DONE: _("Done"),
        TakedownState.REFUSED: _("Refused"),
    },
    **RECORD_WORDS,
    **REQUEST_WORDS,
}


def staff_word(kind: str, value: StrEnum | str) -> str:
    """The words for a code; the code itself where there are none."""
    return str(WORDS[kind].get(value, value))
