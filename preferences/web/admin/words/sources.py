"""Where a person or a stop came from, as staff say it: `api:<mailer>`, `import:<id>`, `staff:<id>`, a method of an act …"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext

from preferences.domain.acts import Method
from preferences.web.admin.answering import moment_in_words

from .imports import field_word
from .people import PEOPLE_WORDS


def staff_source(source: str | None) -> str:
    """The words for a source; the code itself where there are none, nothing for none."""
    kind, _colon, name = (source or "").partition(":")
    match kind:
        case "api":
            return str(gettext("The mailer %(name)s", name=name))
        case "import":
            return str(gettext("Import %(number)s", number=name))
        case "subscribe":
            return str(gettext("The sign-up form %(name)s", name=name))
        case "esp":
            return str(gettext("Reported by %(name)s", name=name))
        case "staff":
            return str(gettext("Staff"))
        case "address_change":
            return str(gettext("Their change of address"))
        case "page":
            return str(gettext("Their own page"))
        case "command":
            return str(gettext("A command"))
        case _ if kind in [*Method]:
            return str(PEOPLE_WORDS["method"][Method(kind)])
    return source or ""


def staff_evidence(name: str, value: Any) -> tuple[str, str]:
    """What backs an act, with its name: our own codes, times, yes and no in words, everything else as it was given."""
    match name:
        case "asked_at":
            return str(gettext("Asked for")), _moment(value)
        case "confirmed_at":
            return str(gettext("Confirmed from the mailbox")), _moment(value)
        case "source" if value in [*Method] or str(value).startswith("subscribe:"):
            return field_word(name), staff_source(str(value))
    said = str(gettext("yes") if value else gettext("no")) if isinstance(value, bool) else str(value)
    return field_word(name), said


def _moment(value: Any) -> str:
    try:
        return moment_in_words(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)
