"""What an entry of the audit may say beside who, what and when: a name for every fact, and nothing that has none."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from .retention import Kind


class AuditFact(StrEnum):
    """What a fact is about; its value is an id, a count, a day, a code, yes or no, or a list of those.

    What stands here is in stored entries, which nobody can rewrite: names are added, never changed or taken away.
    """

    ABOUT = "about"
    ACTION = "action"
    ADDED = "added"
    ADDRESS = "address"
    """Whether the address of an endpoint is another; never the address."""
    ASSIGNED_TO = "assigned_to"
    BECAUSE = "because"
    BY = "by"
    """How somebody was answered; of a search, which filters were used."""
    CHANGES = "changes"
    CHANNEL = "channel"
    CORRECTED = "corrected"
    COUNT = "count"
    DAYS = "days"
    DEMO = "demo"
    DETAIL = "detail"
    DONE = "done"
    DUE_ON = "due_on"
    ENDED = "ended"
    ENTRIES = "entries"
    ENTRY = "entry"
    EVIDENCE = "evidence"
    FIELDS = "fields"
    """Their names; of an erasure, how many."""
    FINDINGS = "findings"
    FIRST_HEAD = "first_head"
    FORM = "form"
    """The key of a sign-up form; of an act on behalf, what tells a form that was sent twice."""
    FOUND = "found"
    """Of a verification: what is wrong, with the number of the entry and of the head."""
    FROM = "from"
    GROUND = "ground"
    HOURS = "hours"
    ID = "id"
    IDENTITY = "identity"
    INSTEAD_OF = "instead_of"
    KEPT_BACK = "kept_back"
    """How many mails that waited are not sent any more."""
    KEPT_ROLE = "kept_role"
    KEY = "key"
    LAST = "last"
    LAST_HEAD = "last_head"
    LAWFUL_BASIS = "lawful_basis"
    LIMITED = "limited"
    MAILED = "mailed"
    MESSAGE = "message"
    MOVED = "moved"
    NAMES = "names"
    NEW = "new"
    OBJECT = "object"
    OUTCOME = "outcome"
    PART = "part"
    PASSKEY = "passkey"
    PAYLOAD = "payload"
    PROVIDER = "provider"
    PURPOSE = "purpose"
    PURPOSES = "purposes"
    REASON = "reason"
    REMOVED = "removed"
    REQUEST = "request"
    RESUMED = "resumed"
    ROLE = "role"
    ROWS = "rows"
    SAID = "said"
    SCOPES = "scopes"
    SINCE = "since"
    STAFF = "staff"
    STEP = "step"
    TELLS = "tells"
    TO = "to"
    TOLD = "told"
    TRAINING = "training"
    TRAININGS = "trainings"
    TYPES = "types"
    UNDO = "undo"
    UNTIL = "until"
    VERSION = "version"
    WEIGHT = "weight"
    WHAT = "what"
    WHY = "why"
    WITH = "with"


NAMES = frozenset({*AuditFact, *Kind})
"""A run of retention also says of each rule, by its name, how much went."""


def check_facts(names: Iterable[str]) -> None:
    """Raise ValueError for a fact without a name here: the page that shows the audit has words for those alone."""
    unknown = sorted(set(names) - NAMES)
    if unknown:
        raise ValueError(f"The audit knows no fact {', '.join(unknown)}: add it to AuditFact, with its words.")
