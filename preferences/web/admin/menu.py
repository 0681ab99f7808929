"""The navigation, one row a page. A row is shown to those who have its permission, once its page exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import lazy_gettext

from preferences.domain.roles import Permission
from preferences.web.access import Access, declared_access

from .guard import declared_permission, staff_may


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. `endpoint` is that of the page it leads to; the pages below it start with the same path."""

    endpoint: str
    title: Any
    permission: Permission


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as a template shows it."""

    title: Any
    address: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading; the first has none."""

    title: Any
    entries: list[Entry]


MENU: tuple[tuple[Any, tuple[Row, ...]], ...] = (
    ("", (Row("admin.today", lazy_gettext("Today"), Permission.BE_STAFF),)),
    (
        lazy_gettext("People"),
        (
            Row("admin.recipients", lazy_gettext("Recipients"), Permission.SEE_RECIPIENTS),
            Row("admin.requests", lazy_gettext("Rights requests"), Permission.HANDLE_REQUESTS),
            Row("admin.imports", lazy_gettext("Imports"), Permission.RUN_IMPORTS),
            Row("admin.exports", lazy_gettext("Exports"), Permission.EXPORT_DATA),
        ),
    ),
    (
        lazy_gettext("Photos"),
        (
            Row("admin.trainings", lazy_gettext("Trainings"), Permission.SEE_TRAININGS),
            Row("admin.takedowns", lazy_gettext("Takedowns"), Permission.HANDLE_TAKEDOWNS),
        ),
    ),
    (
        lazy_gettext("What we say"),
        (
            Row("admin.purposes", lazy_gettext("Purposes and texts"), Permission.SEE_PURPOSES),
            Row("admin.forms", lazy_gettext("Sign-up forms"), Permission.SEE_PURPOSES),
            Row("admin.policy", lazy_gettext("Privacy policy"), Permission.PUBLISH_POLICY),
        ),
    ),
    (
        lazy_gettext("How it goes"),
        (
            Row("admin.numbers", lazy_gettext("Numbers"), Permission.SEE_NUMBERS),
            Row("admin.mailers", lazy_gettext("Mailers"), Permission.SEE_MAILERS),
            Row("admin.header_doctor", lazy_gettext("Header doctor"), Permission.SEE_MAILERS),
        ),
    ),
    (
        lazy_gettext("Records"),
        (
            Row("admin.audit", lazy_gettext("Audit"), Permission.SEE_AUDIT),
            Row("admin.seals", lazy_gettext("Ledger seals"), Permission.SEE_AUDIT),
            Row("admin.retention", lazy_gettext("Retention"), Permission.RUN_RETENTION),
            Row("admin.staff", lazy_gettext("Staff"), Permission.MANAGE_STAFF),
            Row("admin.service_settings", lazy_gettext("Settings"), Permission.SEE_SETTINGS),
        ),
    ),
)


def staff_menu() -> list[Group]:
    """The groups that whoever is signed in may open."""
    groups = []
    for title, rows in MENU:
        shown = [row for row in rows if row.endpoint in current_app.view_functions and staff_may(row.permission)]
        if shown:
            groups.append(Group(title, [_entry(row) for row in shown]))
    return groups


def link_to(endpoint: str, **values: Any) -> str:
    """The address of an admin page; empty where it does not exist, or whoever is signed in may not open it."""
    view = current_app.view_functions.get(endpoint)
    if view is None or declared_access(view) is not Access.STAFF:
        return ""
    permission = declared_permission(view)
    return url_for(endpoint, **values) if permission is not None and staff_may(permission) else ""


def _entry(row: Row) -> Entry:
    address = url_for(row.endpoint)
    is_home = row.endpoint == "admin.today"
    is_here = request.path == address or (not is_home and request.path.startswith(f"{address}/"))
    return Entry(row.title, address, is_here)
