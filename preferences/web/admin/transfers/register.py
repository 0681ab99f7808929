"""The register of processing (GDPR 30(1)) as rows: each purpose as its notice says it, then what else is kept and how long."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext
from sqlalchemy.orm import Session

from preferences.domain.purpose import About
from preferences.domain.retention_rules import RULES
from preferences.queries.mailers.mailers import mailers
from preferences.queries.purposes.purposes import catalogue
from preferences.web.admin.words.words import staff_word
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings


def register_rows(session: Session) -> Iterator[tuple[object, ...]]:
    """The heads, then a row for each purpose and topic in use, then one for each kind of data the service keeps."""
    chosen, locale = settings(), request_locale()
    controller = ", ".join(filter(None, (chosen.organisation_name, chosen.organisation_address)))
    known = catalogue(session)
    senders = ", ".join(one.name for one in mailers(session) if one.archived_at is None)
    data = {
        About.MAIL: gettext("Address, name, language, profile, choices with their proof"),
        About.PUBLICATION: gettext("Name, image, trainings taken part in, choices with their proof"),
        About.EVERYTHING: gettext("A keyed hash of the address, and that everything was stopped"),
    }
    abroad = gettext("The service itself transfers nothing; see the recipients")
    security = gettext(
        "Personal data encrypted in the database and looked up by keyed hash; staff with roles and a second factor; "
        "every act and every look recorded"
    )
    yield (
        gettext("Controller"),
        gettext("Contact"),
        gettext("Processing"),
        gettext("Key"),
        gettext("Why"),
        gettext("Legal basis"),
        gettext("Whom it is about"),
        gettext("Categories of data"),
        gettext("Recipients of the data"),
        gettext("Third countries"),
        gettext("How long"),
        gettext("Security"),
        gettext("Notice version"),
    )
    people = gettext("Customers and contacts")
    for one in known.all():
        if one.purpose.is_archived:
            continue
        text = one.text(locale, chosen.default_locale)
        yield (
            controller,
            chosen.organisation_email,
            text.title,
            one.purpose.key,
            text.why,
            staff_word("basis", one.purpose.lawful_basis),
            people,
            f"{text.what} {data[one.purpose.about]}",
            f"{text.who} {senders}".strip(),
            abroad,
            text.how_long,
            security,
            one.number,
        )
    for rule in RULES.values():
        yield (
            controller,
            chosen.organisation_email,
            gettext("Kept by the service"),
            rule.kind.value,
            rule.why,
            rule.ground,
            people,
            rule.what,
            "",
            abroad,
            rule.how_long(chosen.retention_months),
            security,
            "",
        )
