"""Which addresses are measured: every admin page, the filters that matter, and where the numbers lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import OPEN_STATES, RightsKind
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.queries.staff.bursts import recent_bursts
from tests.support.admin_places import admin_pages
from tests.support.staff import StaffBrowser

from .admin_fill import LARGE_DOMAIN, address_of

YARDSTICK = "header_doctor"
"""A page that asks the database for nothing but the session."""


def addresses(app: Flask, session: Session, who: StaffBrowser) -> dict[str, str]:
    """Name to path."""
    now = datetime.now(UTC)
    (burst, *_) = [one.key for one in recent_bursts(session, now=now)] or ["0-0"]
    others = {name: _person(session, number) for name, number in (("5,000 entries", 1), ("five entries", 4321))}
    found = admin_pages(app, session, person=others["five entries"], burst=burst)
    if burst == "0-0":
        del found["burst_page"]
    found |= {f"recipient_page with {name}": f"/admin/recipients/{one}" for name, one in others.items()}
    found |= {f"recipients {name}": f"/admin/recipients?{query}" for name, query in _searches(now).items()}
    found |= {f"audit {name}": f"/admin/audit?{query}" for name, query in _audits(now).items()}
    found["request_calendar next month"] = f"/admin/requests/calendar?month={now + timedelta(days=20):%Y-%m}"
    erase = select(RightsRequestRow.reference).where(
        RightsRequestRow.kind == RightsKind.ERASE, RightsRequestRow.state.in_(OPEN_STATES)
    )
    found["ask_to_erase_as_asked"] = f"/admin/requests/{session.scalars(erase).first()}/erase"
    found["requests closed"] = "/admin/requests?state=fulfilled"
    for weeks in (4, 12, 52, 104):
        since = f"since={now - timedelta(weeks=weeks):%Y-%m-%d}"
        for name, more in (("", ""), (", one purpose", "&purpose=1")):
            found[f"numbers {weeks} weeks{name}"] = f"/admin/numbers?{since}{more}"
        if weeks in {4, 52}:
            page = who.get(f"/admin/numbers?{since}").text
            found |= {f"{name} ({weeks} weeks)": path for name, path in _led_to(page)}
    return found


def _person(session: Session, number: int) -> str:
    index = keyring().address_index(address_of(number))  # type: ignore[arg-type]
    return format_recipient_id(
        session.scalars(select(RecipientRow.id).where(RecipientRow.address_index == index)).one()
    )


def _searches(now: datetime) -> dict[str, str]:
    month = f"since={now - timedelta(days=30):%Y-%m-%d}&until={now:%Y-%m-%d}"
    return {
        "by address": f"text={address_of(4321)}",
        "by a small domain": "text=@company5.example.com",
        "by a large domain": f"text=@{LARGE_DOMAIN}",
        "by external id": "text=kund-4000",
        "by nothing there is": "text=nobody-at-all",
        "second page": "before=4000000000000000000",
        "by purpose and state": "purpose=1&act=withdrawn",
        "by purpose and a rare state": "purpose=1&act=revoked",
        "by a pause that lasts": "act=paused",
        "by a purpose nobody answered": "purpose=7",
        "by status": "status=restricted",
        "by status erased": "status=erased",
        "by method": "method=mailto",
        "by a method nobody uses": "method=esp",
        "by method and month": f"method=one_click&{month}",
        "by method and no, a month": f"method=mailto&said=no&{month}",
        "by month": month,
        "by week": f"since={now - timedelta(days=7):%Y-%m-%d}&until={now:%Y-%m-%d}",
        "by one old day": f"since={now - timedelta(days=600):%Y-%m-%d}&until={now - timedelta(days=600):%Y-%m-%d}",
        "by everything": f"text=@{LARGE_DOMAIN}&purpose=1&act=given&method=import&status=active&{month}",
        "by no and message": "said=no&message=15000",
    }


def _audits(now: datetime) -> dict[str, str]:
    return {
        "by person": "staff=3",
        "by action": "action=acted_on_behalf",
        "by an action nobody did": "action=policy_announced",
        "by object": "object=recipient&id=17",
        "by week": f"since={now - timedelta(days=7):%Y-%m-%d}",
        "by person and action": "staff=2&action=acted_on_behalf",
        "by old day": f"since={now - timedelta(days=700):%Y-%m-%d}&until={now - timedelta(days=699):%Y-%m-%d}",
        "second page": "before=250000",
    }


def _led_to(page: str) -> Iterable[tuple[str, str]]:
    """The first link of each kind that leads from the numbers to the people behind them."""
    seen = set()
    for href in re.findall(r'href="(/admin/recipients\?[^"]+)"', page):
        path = unescape(href)
        asked = dict(parse_qsl(urlsplit(path).query))
        kind = " ".join(
            f"{name}={'…' if name in {'purpose', 'message'} else value}"
            for name, value in asked.items()
            if name not in {"since", "until"}
        )
        if kind not in seen:
            seen.add(kind)
            yield f"behind {kind}", path
