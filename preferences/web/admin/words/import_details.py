"""What an import's report says of a row beyond the reason, in the language of the page and the organisation's time zone.

Reports are stored as they were written, in English and in UTC, with codes in brackets: that is what commands and the CSV file
keep. Here each sentence is found again by its form; one that has none here stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.acts import Actor, Method
from preferences.domain.intake import RowResult
from preferences.web.admin.answering import moment_in_words

from .imports import reason_word
from .sources import staff_source
from .words import staff_word

_ = lazy_gettext
_ONLY = r"Only the person's own mailbox can lift it\."
_LINES = re.compile(r"(?P<what>.*) \(Lines (?P<first>\d+) to (?P<last>\d+)\.\)", re.DOTALL)
_MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC|an unknown day"

FORMS: tuple[tuple[str, Any], ...] = (
    (r"Duplicate of line (?P<line>\d+)\.", _("Duplicate of line %(line)s.")),
    (
        r"The same address as line (?P<line>\d+): only the act is taken\.",
        _("The same address as line %(line)s: only what they said is taken."),
    ),
    (
        r"Line (?P<line>\d+) stops it\. Only the person's own mailbox can lift a stop\.",
        _("Line %(line)s stops it. Only the person's own mailbox can lift a stop."),
    ),
    (
        r"Line (?P<line>\d+) has the same external id with another address\.",
        _("Line %(line)s has the same external id with another address."),
    ),
    (
        r"The external id belongs to another recipient; to move a person, change the address of that one\.",
        _("The external id belongs to another recipient; to move a person, change the address of that one."),
    ),
    (
        r"The row has (?P<cells>\d+) cells, the header (?P<header>\d+)\.",
        _("The row has %(cells)s cells, the header %(header)s."),
    ),
    (
        r"A cell is longer than any that could be stored; a quotation mark may be missing its partner\.",
        _("A cell is longer than any that could be stored; a quotation mark may be missing its partner."),
    ),
    (r"This does not look like an email address\.", _("This does not look like an email address.")),
    (r"The domain of the address is not complete\.", _("The domain of the address is not complete.")),
    (r"The address is empty\.", _("The address is empty.")),
    (r"act is missing: what did the person do\?", _("act is missing: what did the person do?")),
    (r"purpose is missing: what is the act about\?", _("purpose is missing: what is the act about?")),
    (r"occurred_at is missing: when did the person agree\?", _("occurred_at is missing: when did the person agree?")),
    (r"source is missing: where did the person agree\?", _("source is missing: where did the person agree?")),
    (r"occurred_at is not a time like (?P<wanted>.+)\.", _("occurred_at is not a time like %(wanted)s.")),
    (r"occurred_at lies in the future\.", _("occurred_at lies in the future.")),
    (r"occurred_at lies before 1990\.", _("occurred_at lies before 1990.")),
    (r"A language is written like sv or en_GB\.", _("A language is written like sv or en_GB.")),
    (
        r"There is no purpose or topic named '(?P<key>.*)'\.",
        _("There is no purpose or topic named %(key)s."),
    ),
    (r"There is no act '(?P<act>.*)'; there are (?P<known>.+)\.", _("There is no act %(act)s; there are %(known)s.")),
    (
        r"There is no basis '(?P<basis>.*)'; there are (?P<known>.+)\.",
        _("There is no basis %(basis)s; there are %(known)s."),
    ),
    (
        r"(?P<key>[\w./-]+) is archived: nothing is granted for it\.",
        _("%(key)s is archived: nothing is granted for it."),
    ),
    (
        r"The customer exception needs `(?P<field>\w+)`: a sale, a similar product, and an opt-out offered then\.",
        _("The customer exception needs %(field)s: a sale, a similar product, and an opt-out offered then."),
    ),
    (
        r"Processing is restricted at the person's request \(GDPR 18\)\.",
        _("Processing is restricted at the person's request (GDPR 18)."),
    ),
    (
        rf"Erased at their request on (?P<moment>{_MOMENT}) \((?P<source>.*)\)\. Nothing of it is stored\.",
        _("Erased at their request on %(moment)s. Nothing of it is stored."),
    ),
    (
        rf"(?:Everything stopped|Reported as spam) on (?P<moment>{_MOMENT}) \((?P<source>.*)\)\. {_ONLY}",
        _("%(source)s, %(moment)s. Only the person's own mailbox can lift it."),
    ),
    (
        rf"Paused by the (?P<actor>\w+) \((?P<method>\w+)\) until (?P<moment>{_MOMENT})\. {_ONLY}",
        _("%(actor)s (%(method)s), until %(moment)s. Only the person's own mailbox can lift it."),
    ),
    (
        rf"[A-Z][a-z ]+ by the (?P<actor>\w+) \((?P<method>\w+)\) on (?P<moment>{_MOMENT})\. {_ONLY}",
        _("%(actor)s (%(method)s), %(moment)s. Only the person's own mailbox can lift it."),
    ),
)
_READ = tuple((re.compile(form, re.DOTALL), words) for form, words in FORMS)


def detail_in_words(detail: str | None) -> tuple[str, bool]:
    """The sentence in the language of the page, and whether it is: False for one that stays as it was written."""
    several = _LINES.fullmatch(detail or "")
    if several is not None:
        what, is_known = detail_in_words(several["what"])
        words = _("%(what)s (Lines %(first)s to %(last)s.)")
        return (str(words) % {**several.groupdict(), "what": what}, True) if is_known else (detail or "", False)
    for form, words in _READ:
        found = form.fullmatch(detail or "")
        if found is not None:
            return str(words) % _values(found.groupdict()), True
    return detail or "", not detail


def row_in_words(one: RowResult) -> str:
    """Outcome, reason and what stands beside it, in the language of the page."""
    parts = (staff_word("outcome", one.outcome), one.reason and reason_word(one.reason), detail_in_words(one.detail)[0])
    return ": ".join(str(part) for part in parts if part)


def _values(found: Mapping[str, str]) -> dict[str, str]:
    values = dict(found)
    if "moment" in values:
        values["moment"] = _moment(values["moment"])
    if "source" in values:
        values["source"] = staff_source(values["source"])
    if "actor" in values and values["actor"] in [*Actor]:
        values["actor"] = str(staff_word("actor", Actor(values["actor"])))
    if "method" in values and values["method"] in [*Method]:
        values["method"] = str(staff_word("method", Method(values["method"])))
    return values


def _moment(text: str) -> str:
    try:
        return moment_in_words(datetime.strptime(text, "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC))
    except ValueError:
        return str(_("an unknown day"))
