"""What the facts of an audit entry are called, and how they are said. A test holds the names complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext

from preferences.domain.audit import AuditAction
from preferences.domain.audit_facts import AuditFact
from preferences.domain.retention import Kind
from preferences.web.admin.answering import day_in_words

from .fact_codes import CODES
from .imports import field_word
from .words import staff_word

_ = lazy_gettext

FACTS: Mapping[AuditFact, Any] = {
    AuditFact.ABOUT: _("About"),
    AuditFact.ACTION: _("What"),
    AuditFact.ADDED: _("People put on the list"),
    AuditFact.ADDRESS: _("Another address"),
    AuditFact.ASSIGNED_TO: _("Handled by"),
    AuditFact.BECAUSE: _("Because of"),
    AuditFact.BY: _("The person is told"),
    AuditFact.CHANGES: _("Changes"),
    AuditFact.CHANNEL: _("How it came"),
    AuditFact.CORRECTED: _("As a correction"),
    AuditFact.COUNT: _("Sessions"),
    AuditFact.DAYS: _("Days it works"),
    AuditFact.DEMO: _("From the demo page"),
    AuditFact.DETAIL: _("In detail"),
    AuditFact.DONE: _("Something changed"),
    AuditFact.DUE_ON: _("Due"),
    AuditFact.ENDED: _("The block ended"),
    AuditFact.ENTRIES: _("Ledger entries"),
    AuditFact.ENTRY: _("Ledger entry"),
    AuditFact.EVIDENCE: _("Pieces of evidence"),
    AuditFact.FIELDS: _("Fields"),
    AuditFact.FINDINGS: _("Findings"),
    AuditFact.FIRST_HEAD: _("From head"),
    AuditFact.FORM: _("Form"),
    AuditFact.FOUND: _("Found"),
    AuditFact.FROM: _("Before"),
    AuditFact.GROUND: _("Ground"),
    AuditFact.HOURS: _("Hours that the old one goes on"),
    AuditFact.ID: _("Which one"),
    AuditFact.IDENTITY: _("Who asks"),
    AuditFact.INSTEAD_OF: _("Instead of"),
    AuditFact.KEPT_BACK: _("Mails not sent any more"),
    AuditFact.KEPT_ROLE: _("Kept the role"),
    AuditFact.KEY: _("Key"),
    AuditFact.LAST: _("Last change"),
    AuditFact.LAST_HEAD: _("To head"),
    AuditFact.LAWFUL_BASIS: _("Lawful basis"),
    AuditFact.LIMITED: _("Not mailed, too many lately"),
    AuditFact.MAILED: _("Mailed"),
    AuditFact.MESSAGE: _("Message"),
    AuditFact.MOVED: _("Moved"),
    AuditFact.NAMES: _("Names"),
    AuditFact.NEW: _("New"),
    AuditFact.OBJECT: _("To what"),
    AuditFact.OUTCOME: _("Outcome"),
    AuditFact.PART: _("Part"),
    AuditFact.PASSKEY: _("Passkey"),
    AuditFact.PAYLOAD: _("Learns"),
    AuditFact.PROVIDER: _("ESP"),
    AuditFact.PURPOSE: _("Purpose"),
    AuditFact.PURPOSES: _("Purposes"),
    AuditFact.REASON: _("Reason"),
    AuditFact.REMOVED: _("Removed"),
    AuditFact.REQUEST: _("Rights request"),
    AuditFact.RESUMED: _("It takes place after all"),
    AuditFact.ROLE: _("Role"),
    AuditFact.ROWS: _("Rows"),
    AuditFact.SAID: _("Recorded"),
    AuditFact.SCOPES: _("May"),
    AuditFact.SINCE: _("From"),
    AuditFact.STAFF: _("Who"),
    AuditFact.STEP: _("Step"),
    AuditFact.TELLS: _("Who gets a mail"),
    AuditFact.TO: _("After"),
    AuditFact.TOLD: _("People told"),
    AuditFact.TRAINING: _("Training"),
    AuditFact.TRAININGS: _("Trainings"),
    AuditFact.TYPES: _("Is told of"),
    AuditFact.UNDO: _("Took back ledger entry"),
    AuditFact.UNTIL: _("To and including"),
    AuditFact.VERSION: _("Version"),
    AuditFact.WEIGHT: _("Weight"),
    AuditFact.WHAT: _("What"),
    AuditFact.WHY: _("Why"),
    AuditFact.WITH: _("With"),
}

NAMED_OTHERWISE: Mapping[tuple[AuditAction, AuditFact], Any] = {
    (AuditAction.RECIPIENTS_SEARCHED, AuditFact.BY): _("Filters used"),
    (AuditAction.ACTED_ON_BEHALF, AuditFact.ENTRIES): _("New ledger entries"),
    (AuditAction.DATA_EXPORTED, AuditFact.ACTION): _("Only what was done"),
}

LEFT_OUT = frozenset({(AuditAction.ACTED_ON_BEHALF, AuditFact.FORM)})
"""What says nothing to people: a random number that tells whether a form came twice. It is in the export."""

LEADING = (
    *(
        AuditFact.WHAT,
        AuditFact.WHY,
        AuditFact.STEP,
        AuditFact.SAID,
        AuditFact.OUTCOME,
        AuditFact.KEY,
        AuditFact.REMOVED,
    ),
    *(AuditFact.FROM, AuditFact.TO, AuditFact.FIRST_HEAD, AuditFact.LAST_HEAD),
)
"""What is said first; the rest by name, because a database may keep its own order."""

DAYS = frozenset({AuditFact.DUE_ON, AuditFact.SINCE, AuditFact.UNTIL})
API_KEYS = frozenset({AuditFact.KEY, AuditFact.INSTEAD_OF})


@dataclass(frozen=True, slots=True)
class Known:
    """What the numbers in the facts are called."""

    staff: Mapping[int, str] = field(default_factory=dict)
    purposes: Mapping[int, str] = field(default_factory=dict)


def facts_in_words(action: AuditAction, data: Mapping[str, Any], known: Known) -> list[tuple[str, str]]:
    """The facts of an entry, each with its name. What is empty is left out; what nobody knows stands as it is stored."""
    ordered = sorted(
        data.items(), key=lambda one: (LEADING.index(one[0]) if one[0] in LEADING else len(LEADING), one[0])
    )
    return [(name, said) for fact, value in ordered for name, said in _in_words(action, fact, value, known)]


def _in_words(action: AuditAction, name: str, value: Any, known: Known) -> Iterator[tuple[str, str]]:
    is_rule = action is AuditAction.RETENTION_RUN and name in [*Kind]
    fact = AuditFact(name) if name in [*AuditFact] and not is_rule else None
    if value is None or value == "" or value == [] or (action, fact) in LEFT_OUT:
        return
    if fact is None:
        yield staff_word("retention", name), _value(fact, value, known)
    else:
        yield str(NAMED_OTHERWISE.get((action, fact), FACTS[fact])), _value(fact, value, known)


def _value(fact: AuditFact | None, value: Any, known: Known) -> str:
    if isinstance(value, list):
        each = _finding if fact is AuditFact.FOUND else lambda one: _value(fact, one, known)
        return ", ".join(each(one) if number == 0 else _further(each(one)) for number, one in enumerate(value))
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if fact in {AuditFact.ASSIGNED_TO, AuditFact.STAFF} and str(value).isdecimal():
        return known.staff.get(int(value), str(value))
    if fact is AuditFact.PURPOSE and isinstance(value, int):
        return known.purposes.get(value, str(value))
    if fact in API_KEYS:
        return f"pk_{value}"
    if fact in DAYS:
        return _day(str(value))
    if fact is AuditFact.FIELDS and isinstance(value, str):
        return field_word(value)
    return (
        next((str(one[str(value)]) for one in CODES.get(fact, ()) if str(value) in one), str(value))
        if fact
        else str(value)
    )


def _finding(one: Any) -> str:
    """What a verification found: the words, with the number of the entry or of the head."""
    if not isinstance(one, list) or len(one) != 3:
        return str(one)
    wrong, entry, head = one
    number = head if entry is None else entry
    return f"{staff_word('seal_wrong', wrong)} {'' if number is None else number}".strip()


def _further(words: str) -> str:
    """As it stands within a list: "A choice changed, somebody was erased"; abbreviations keep their capitals."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def _day(value: str) -> str:
    try:
        return day_in_words(date.fromisoformat(value))
    except ValueError:
        return value
