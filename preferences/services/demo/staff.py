"""Somebody in every role to look at the admin pages as. Without passwords: the page of a development service lets them in."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.roles import Role
from preferences.models.crypto import keyring
from preferences.queries.staff.staff import StaffView, staff_by_index
from preferences.services.staff.staff import NewStaff, create_staff

PEOPLE = {
    Role.ADMINISTRATOR: ("Alma Asklund", "alma.asklund@exempelbolaget.example"),
    Role.PRIVACY_OFFICER: ("Petra Dahlgren", "petra.dahlgren@exempelbolaget.example"),
    Role.MARKETER: ("Måns Markström", "mans.markstrom@exempelbolaget.example"),
    Role.VIEWER: ("Lo Sjöberg", "lo.sjoberg@exempelbolaget.example"),
}


def seed_demo_staff(session: Session, *, locale: str, now: datetime) -> None:
    """Add those who are missing."""
    known = demo_staff(session)
    for role, (name, address) in PEOPLE.items():
        if role not in known:
            create_staff(session, NewStaff(address=address, name=name, role=role, locale=locale), by=None, now=now)


def demo_staff(session: Session) -> dict[Role, StaffView]:
    """The demo's people by the role they were made for; those who were disabled or have a password by now are left out."""
    found = {}
    for role, (_, address) in PEOPLE.items():
        one = staff_by_index(session, keyring().address_index(parse_address(address).normal))
        if one is not None and one.disabled_at is None and not one.has_password:
            found[role] = one
    return found


def demo_token(secret_key: bytes) -> str:
    """What stands in the link that is printed at the start: nobody knows it who cannot read the terminal or the keys."""
    digest = hmac.digest(secret_key, b"preferences.demo.sign-in", "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
