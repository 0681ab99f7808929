"""Where a person or a stop came from, as staff say it: `api:<mailer>`, `import:<id>`, `staff:<id>`, a method of an act …"""

from __future__ import annotations

from flask_babel import gettext

from preferences.domain.acts import Method

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
