"""Numbers: what people chose in a period, why and how they left, and how long mailers took to hear of it. Never who."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from babel.dates import format_timedelta
from flask import render_template
from flask_babel import gettext

from preferences.domain.acts import Method
from preferences.domain.esp_events import EspEventType
from preferences.domain.roles import Permission
from preferences.domain.suppression import SuppressionReason
from preferences.models.transaction import snapshot
from preferences.queries.numbers.by_day import ActCount
from preferences.queries.numbers.numbers import Numbers, numbers_in
from preferences.queries.numbers.time_to_tell import MOST_OPT_OUTS
from preferences.queries.purposes.purposes import catalogue
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked_number
from preferences.web.admin.guard import needs
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings

from .charts import Chart, Point, chart
from .periods import AskedPeriod, Unit, asked_period

WITHOUT_PEOPLE = frozenset({SuppressionReason.ERASED})
"""Stops of addresses whose people are gone: a number, and nobody behind it to show."""


@dataclass(frozen=True, slots=True)
class PurposeLine:
    """The yes and no of a period about one purpose."""

    id: int
    title: str
    yes: int
    no: int


@blueprint.get("/numbers")
@access(Access.STAFF)
@needs(Permission.SEE_NUMBERS)
def numbers() -> str:
    """The period that the address asks for, about one purpose or all."""
    over, asked_for = asked_period(), asked_number("purpose")
    locale, default = request_locale(), settings().default_locale
    with snapshot() as session:
        titles: dict[int, str] = {one.purpose.id: one.text(locale, default).title for one in catalogue(session).all()}
        purpose_id = asked_for if asked_for in titles else None
        found = numbers_in(session, over.period, purpose_id=purpose_id)
    about = {} if purpose_id is None else {"purpose": purpose_id}
    return render_template(
        "admin/numbers/numbers.html",
        over=over,
        units=[(one.value, _unit(one)) for one in Unit],
        purposes=[(str(number), title) for number, title in titles.items()],
        purpose_id=purpose_id,
        about=about,
        found=found,
        charts=_charts(over, found, about),
        lines=_lines(found.answers, titles),
        without_people=WITHOUT_PEOPLE,
        most_opt_outs=MOST_OPT_OUTS,
        percent=_percent,
        lasted=_lasted,
        **_sums(found),
    )


def _sums(found: Numbers) -> dict[str, Any]:
    """What is counted over the whole period."""
    return {
        "yes_count": sum(one.count for one in found.answers if one.is_yes),
        "no_count": sum(one.count for one in found.answers if not one.is_yes),
        "methods": _by_method(found.answers),
        "stops": _total((reason, count) for _, reason, count in found.suppressions),
    }


def _charts(over: AskedPeriod, found: Numbers, about: dict[str, Any]) -> dict[str, Chart]:
    heads = (gettext("From"), gettext("Number"))

    def drawn(caption: str, counted: Iterable[tuple[int, int]], address: Callable[[int], str]) -> Chart:
        sums = _total(counted)
        points = [
            Point(label, sums[number], address(number) if sums[number] else "")
            for number, label in enumerate(over.labels())
        ]
        return chart(caption, heads, points)

    def said(caption: str, word: str) -> Chart:
        counted = ((one.stretch, one.count) for one in found.answers if one.is_yes is (word == "yes"))
        return drawn(caption, counted, lambda number: over.people(number, said=word, **about))

    def stopped(caption: str, reason: SuppressionReason) -> Chart:
        counted = ((number, count) for number, why, count in found.suppressions if why is reason)
        return drawn(caption, counted, lambda number: over.people(number, suppressed=reason.value))

    def events(caption: str, kind: EspEventType) -> Chart:
        counted = ((number, count) for number, what, count in found.reported if what is kind)
        return drawn(caption, counted, lambda number: over.people(number, reported=kind.value))

    return {
        "yes": said(gettext("Yes over time"), "yes"),
        "no": said(gettext("No over time"), "no"),
        "bounces": stopped(gettext("Addresses stopped because they bounce"), SuppressionReason.HARD_BOUNCE),
        "complaints": stopped(gettext("Addresses stopped because of a complaint"), SuppressionReason.COMPLAINT),
        "bounced": events(gettext("Bounces that mail services reported"), EspEventType.BOUNCED),
        "complained": events(gettext("Complaints that mail services reported"), EspEventType.COMPLAINED),
    }


def _lines(answers: list[ActCount], titles: dict[int, str]) -> list[PurposeLine]:
    """A line for each purpose that was answered, in the order of the purposes."""
    yes = _total((one.purpose_id, one.count) for one in answers if one.is_yes)
    no = _total((one.purpose_id, one.count) for one in answers if not one.is_yes)
    return [
        PurposeLine(number, title, yes[number], no[number])
        for number, title in titles.items()
        if yes[number] or no[number]
    ]


def _by_method(answers: list[ActCount]) -> list[tuple[Method, int]]:
    """The ways in which people left, the most used first."""
    return _total((one.method, one.count) for one in answers if not one.is_yes).most_common()


def _total(counted: Iterable[tuple[Any, int]]) -> Counter[Any]:
    sums: Counter[Any] = Counter()
    for key, count in counted:
        sums[key] += count
    return sums


def _percent(part: int, whole: int) -> str:
    """A share in whole per cent; a dash of nothing."""
    return f"{round(100 * part / whole)} %" if whole else "–"


def _lasted(time: timedelta | None) -> str:
    """A time in words; a dash for none."""
    return "–" if time is None else format_timedelta(time, threshold=1.5, locale=request_locale())


def _unit(unit: Unit) -> str:
    return str({Unit.DAY: gettext("Day"), Unit.WEEK: gettext("Week"), Unit.MONTH: gettext("Month")}[unit])
