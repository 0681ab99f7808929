"""Which column of an uploaded file is which field: guessed, shown with the first rows, and decided by whoever imports it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.acts import Act, Actor
from preferences.domain.audit import AuditAction
from preferences.domain.errors import Conflict
from preferences.domain.purpose import LawfulBasis
from preferences.domain.roles import Permission
from preferences.integrations.csv_files import read_records
from preferences.integrations.csv_mapping import (
    EVIDENCE_FIELDS,
    PERSON_FIELDS,
    InvalidMapping,
    Reading,
    map_columns,
)
from preferences.models.import_batch import ImportStage
from preferences.models.transaction import reading, transaction
from preferences.queries.imports.imports import ImportView
from preferences.queries.purposes.purposes import catalogue
from preferences.services.imports.imports import open_stream
from preferences.services.imports.steps import choose_columns
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed
from preferences.web.admin.editing import MEANWHILE, is_as_seen, mark_of
from preferences.web.admin.guard import audited_read, needs
from preferences.web.admin.words.imports import field_word
from preferences.web.admin.words.words import staff_word
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings

from .imports import TOO_LATE, existing_import, shown_import, target_of, tools

SHOWN_ROWS = 3
SHOWN_CHARACTERS = 60
ACTS = (Act.GIVEN, Act.REFUSED, Act.WITHDRAWN, Act.OBJECTED)
DEFAULTS = ("purpose", "act", "occurred_at", "source", "wording", "basis", "locale")
"""Fields that may have one value for every row."""

DATE_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y")
SAYINGS = (("yes", Act.GIVEN), ("no", Act.REFUSED))
"""Words in the file that mean an act."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file, with the beginning of what stands in it."""

    number: int
    header: str
    cells: list[str]
    field: str


@blueprint.get("/imports/<int:import_id>/columns")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def show_columns(import_id: int) -> Response:
    """The form, with what was guessed or chosen before."""
    view = existing_import(import_id)
    if not _is_open(view):
        return shown_import(view, problem=TOO_LATE)
    return _page(view, _form_of(Reading.from_json(view.reading)))


@blueprint.post("/imports/<int:import_id>/columns")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def choose_them(import_id: int) -> Response:
    """Take the columns and have the dry run done."""
    view, form = existing_import(import_id), _form()
    if view.actor is Actor.STAFF and view.stage is ImportStage.RECEIVED:
        return _page(view, form, problem=MEANWHILE)
    if not _is_open(view):
        return shown_import(view, problem=TOO_LATE)
    if not is_as_seen(view.reading):
        return _page(view, form, problem=MEANWHILE)
    found = Reading.from_json(view.reading)
    problems = _problems(found, form)
    if problems:
        return _page(view, form, problems)
    try:
        chosen = map_columns(found, json.dumps(_mapping(found, form)))
        with transaction() as session:
            choose_columns(session, import_id, chosen.as_json(), before=view.reading)
    except InvalidMapping:
        return _page(view, form, {"column-0": gettext("The columns do not fit the file: choose each again.")})
    except Conflict:
        return _page(existing_import(import_id), form, problem=MEANWHILE)
    return done("admin.import_page", "mapped", import_id=import_id)


def _is_open(view: ImportView) -> bool:
    return view.actor is Actor.STAFF and (view.waits_for_columns or view.stage is ImportStage.PLANNED)


def _form_of(found: Reading) -> dict[str, str]:
    form = {f"column-{column}": name for name, column in found.columns.items()}
    form |= {f"default-{name}": value for name, value in found.constants.items()}
    meanings = found.values.get("act", {})
    for name, act in SAYINGS:
        form[f"say-{name}"] = ", ".join(sorted(said for said, meant in meanings.items() if meant == act))
    return {**form, "date_format": found.date_format or ""}


def _form() -> dict[str, str]:
    return {name: typed(name) for name in request.form if name.startswith(("column-", "default-", "say-", "date_"))}


def _chosen(found: Reading, form: Mapping[str, str]) -> list[tuple[int, str]]:
    """Column and field, for the columns that are read."""
    pairs = [(number, form.get(f"column-{number}", "")) for number in range(len(found.headers))]
    return [(number, name) for number, name in pairs if name]


def _problems(found: Reading, form: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by form field."""
    problems, seen = dict[str, str](), dict[str, int]()
    for number, name in _chosen(found, form):
        if name in seen:
            problems[f"column-{number}"] = gettext(
                "Column %(first)s is %(field)s already: only one can be.",
                first=seen[name] + 1,
                field=field_word(name),
            )
        seen.setdefault(name, number)
    if "email" not in seen:
        problems.setdefault("column-0", gettext("Say which column holds the email address."))
    for name in DEFAULTS:
        if name in seen and form.get(f"default-{name}"):
            problems[f"default-{name}"] = gettext("A column says this already: leave one of them out.")
    if form.get("default-act", "") not in {"", *ACTS}:
        problems["default-act"] = gettext("Choose one of the list.")
    if form.get("default-basis", "") not in {"", *LawfulBasis}:
        problems["default-basis"] = gettext("Choose one of the list.")
    if (key := form.get("default-purpose")) and key not in dict(_purposes()):
        problems["default-purpose"] = gettext("Choose one of the list.")
    if form.get("date_format", "") not in {"", *DATE_FORMATS}:
        problems["date_format"] = gettext("Choose one of the list.")
    return problems


def _mapping(found: Reading, form: Mapping[str, str]) -> dict[str, Any]:
    chosen = _chosen(found, form)
    mapping: dict[str, Any] = {
        "columns": {f"#{number + 1}": name for number, name in chosen},
        "constants": {name: value for name in DEFAULTS if (value := form.get(f"default-{name}"))},
    }
    meanings = {
        said.strip(): act.value
        for name, act in SAYINGS
        for said in form.get(f"say-{name}", "").split(",")
        if said.strip()
    }
    if meanings and any(name == "act" for _, name in chosen):
        mapping["values"] = {"act": meanings}
    if form.get("date_format"):
        mapping["date_format"] = form["date_format"]
    return mapping


def _page(
    view: ImportView, form: Mapping[str, str], problems: Mapping[str, str] | None = None, *, problem: str = ""
) -> Response:
    with audited_read(AuditAction.IMPORT_SEEN, target_of(view)):
        columns = _columns(view, form)
    page = render_template(
        "admin/transfers/import_columns.html",
        one=view,
        columns=columns,
        form=form,
        problems=problems or {},
        person_fields=[(name, field_word(name)) for name in PERSON_FIELDS],
        evidence_fields=[(name, field_word(name)) for name in EVIDENCE_FIELDS],
        purposes=_purposes(),
        acts=[(one.value, staff_word("act", one)) for one in ACTS],
        bases=[(one.value, staff_word("basis", one)) for one in (LawfulBasis.CONSENT, LawfulBasis.SOFT_OPT_IN)],
        date_formats=DATE_FORMATS,
        kept=Reading.from_json(view.reading),
        seen=mark_of("wrong" if problems else problem, view.reading),
        meanwhile=_compared(view, form) if problem == MEANWHILE else None,
    )
    return make_response(page, 409 if problem else 422 if problems else 200)


def _compared(view: ImportView, form: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(column or field, chosen by somebody else, chosen here)."""
    kept = Reading.from_json(view.reading)
    theirs, titles = _form_of(kept), dict(_purposes())
    names = [(f"column-{number}", header) for number, header in enumerate(kept.headers)]
    names += [(f"default-{name}", str(field_word(name))) for name in DEFAULTS]
    names += [
        ("say-yes", gettext("Words that mean yes")),
        ("say-no", gettext("Words that mean no")),
        ("date_format", gettext("Dates with slashes")),
    ]

    def shown(name: str, value: str) -> str:
        if name.startswith("column-"):
            return str(field_word(value)) if value else gettext("Not read")
        words = {"default-act": "act", "default-basis": "basis"}
        return str(staff_word(words[name], value)) if value and name in words else titles.get(value, value)

    return [(title, shown(name, theirs.get(name, "")), shown(name, form.get(name, ""))) for name, title in names]


def _columns(view: ImportView, form: Mapping[str, str]) -> list[Column]:
    kept = Reading.from_json(view.reading)
    records = islice(read_records(open_stream(tools(), view), kept.form), 1, 1 + SHOWN_ROWS)
    rows = [one.cells for one in records]
    return [
        Column(
            number, header, [_begin(row[number]) for row in rows if number < len(row)], form.get(f"column-{number}", "")
        )
        for number, header in enumerate(kept.headers)
    ]


def _begin(cell: str) -> str:
    line = "".join(one if one.isprintable() else " " for one in cell[: SHOWN_CHARACTERS + 1]).strip()
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…"


def _purposes() -> list[tuple[str, str]]:
    """Key and title of everything in use, in the order of pages."""
    locale, default = request_locale(), settings().default_locale
    with reading() as session:
        known = catalogue(session)
    return [(one.purpose.key, one.text(locale, default).title) for one in known.all() if not one.purpose.is_archived]
