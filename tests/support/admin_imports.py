"""An import in the admin pages, step by step: what several tests do before their own point."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime

from werkzeug.test import TestResponse

from preferences.models.transaction import reading
from preferences.queries.imports.imports import ImportView, import_by_id
from preferences.worker.import_lane import ImportLane
from tests.support.page import Page
from tests.support.staff import StaffBrowser, seen_on

HEAD = "E-post;Namn;purpose;act;occurred_at;source"
FILE = f"{HEAD}\nåsa@example.se;Åsa Öberg;marketing;given;2024-05-01;web\nanna@example.se;Anna;marketing;given;2024-05-01;web\n"


def upload(who: StaffBrowser, data: bytes | str = FILE, name: str = "kunder åäö.csv") -> TestResponse:
    raw = data.encode() if isinstance(data, str) else data
    return who.post("/admin/imports", {"file": (io.BytesIO(raw), name)})


def uploaded(who: StaffBrowser, data: bytes | str = FILE) -> str:
    """Upload, and the address of the import."""
    answer = upload(who, data)
    assert answer.status_code == 303, answer.text
    return answer.location.removesuffix("/columns")


def guessed(who: StaffBrowser, place: str) -> dict[str, str]:
    """The form for the columns as it came."""
    page = Page(who.get(f"{place}/columns"))
    form = {}
    for one in page.all("select"):
        chosen = [option.get("value", "") for option in one.iter("option") if "selected" in option.attrib]
        form[one.get("name", "")] = chosen[0] if chosen else ""
    return {**form, "seen": seen_on(page)}


def lines(page: Page) -> list[int]:
    """The numbers of the lines shown."""
    return [int(one.text or "") for one in page.all("th", scope="row") if one.get("class") == "number"]


def planned(who: StaffBrowser, data: bytes | str = FILE, **changes: str) -> str:
    """Upload, take the columns and have the dry run done."""
    place = uploaded(who, data)
    answer = who.post(f"{place}/columns", {**guessed(who, place), **changes})
    assert answer.status_code == 303, answer.text
    assert run() == 1
    return place


def run() -> int:
    return ImportLane(threading.Event(), lambda: datetime.now(UTC)).run_batch()


def view_of(place: str) -> ImportView:
    with reading() as session:
        return import_by_id(session, int(place.rsplit("/", 1)[1]))


def apply(who: StaffBrowser, place: str) -> TestResponse:
    found = view_of(place).planned_at
    assert found is not None
    return who.post(f"{place}/apply", {"planned_at": found.isoformat()})
