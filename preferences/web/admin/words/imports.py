"""What becomes of the rows of an import, what its fields are called, and what is wrong with a file, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.intake import Outcome
from preferences.integrations.csv_files import Flaw
from preferences.models.import_batch import ImportStage

_ = lazy_gettext

IMPORT_WORDS: dict[str, Mapping[Any, Any]] = {
    "import": {
        ImportStage.RECEIVING: _("Being uploaded"),
        ImportStage.RECEIVED: _("Dry run"),
        ImportStage.PLANNED: _("Waits for a decision"),
        ImportStage.APPLYING: _("Being applied"),
        ImportStage.APPLIED: _("Applied"),
        ImportStage.DISCARDED: _("Discarded"),
    },
    "outcome": {
        Outcome.NEW: _("new"),
        Outcome.CHANGED: _("changed"),
        Outcome.UNCHANGED: _("unchanged"),
        Outcome.HELD: _("held"),
        Outcome.INVALID: _("invalid"),
    },
    "flaw": {
        Flaw.EMPTY: _("The file is empty."),
        Flaw.TOO_LARGE: _("The file is too large: split it."),
        Flaw.BINARY: _(
            "This is no CSV file. Open it where it came from (a workbook in Excel, an archive with your system) "
            "and save it as CSV (UTF-8)."
        ),
        Flaw.ENCODING: _("The file is written in UTF-32, which hardly anything reads: save it as CSV (UTF-8)."),
        Flaw.HEADERS: _("The first line cannot be read. It has to name the columns."),
        Flaw.COLUMNS: _("The file has more than 500 columns: leave some out."),
        Flaw.NO_HEADERS: _(
            "The first line holds an address where the names of the columns should be: add a line that names them."
        ),
    },
}

REASONS: Mapping[str, Any] = {
    "refused": _("Said no"),
    "withdrawn": _("Withdrew consent"),
    "objected": _("Objected"),
    "revoked": _("Stopped by us"),
    "paused": _("Paused"),
    "suppressed_erased": _("Erased at their request"),
    "suppressed_global_stop": _("Stopped everything"),
    "suppressed_complaint": _("Reported us as spam"),
    "restricted": _("Blocked at their request"),
    "stopped_earlier": _("An earlier line stops it"),
    "duplicate": _("The same address again"),
    "external_id_taken": _("The external id belongs to somebody else"),
    "unreadable": _("The line cannot be read"),
    "ragged": _("More or fewer cells than the header"),
    "invalid_value": _("A value is missing or cannot be used"),
    "unknown_purpose": _("There is no such purpose"),
    "act_not_possible": _("The act does not fit the purpose, or evidence is missing"),
    "empty": _("No address"),
    "too_long": _("The address is too long"),
    "control_character": _("The address holds a control character"),
    "syntax": _("Not an address"),
}

FIELDS: Mapping[str, Any] = {
    "email": _("Email address"),
    "external_id": _("External id"),
    "locale": _("Language"),
    "name": _("Name"),
    "contact_person": _("Contact person"),
    "company_name": _("Company"),
    "company_form": _("Company form"),
    "address": _("Postal address"),
    "telephone": _("Telephone"),
    "business_unit": _("Business unit"),
    "vat_number": _("VAT number"),
    "licence_number": _("Licence number"),
    "established_on": _("Date of establishment"),
    "username": _("Username"),
    "domain_holder": _("Domain holder"),
    "purpose": _("Purpose (its key)"),
    "act": _("What they said"),
    "occurred_at": _("When they said it"),
    "source": _("Where they said it"),
    "wording": _("The words they were shown"),
    "basis": _("Legal basis"),
    "sale_reference": _("Sale"),
    "similar_product": _("Similar product"),
    "opt_out_offered": _("An opt-out was offered"),
}


def reason_word(code: str) -> str:
    """Why a row is held or invalid; the code itself where there are no words for it."""
    return str(REASONS.get(code, code))


def field_word(name: str) -> str:
    """What a field is called."""
    return str(FIELDS.get(name, name))
