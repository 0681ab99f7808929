"""The pages that are photographed and checked for accessibility, each in the state that a person meets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, link, make_recipient, purpose

_numbers = count(1)
OLD = datetime.now(UTC) - timedelta(days=500)


def anna(session: Session) -> RecipientView:
    """Somebody with a bit of everything: a consent, an objection, a pause."""
    found = make_recipient(session, f"anna.karlsson{next(_numbers)}@example.se", locale=None)
    act(session, found, "marketing", method=Method.DOUBLE_OPT_IN)
    act(session, found, "events", Act.OBJECTED)
    act(session, found, "marketing", Act.PAUSED, paused_until=datetime.now(UTC) + timedelta(days=40))
    return found


def _unsubscribe(session: Session) -> str:
    return f"/u/{link(anna(session), purpose(session, 'marketing'))}"


def _unsubscribed(session: Session) -> str:
    found = anna(session)
    act(session, found, "marketing", Act.WITHDRAWN)
    return f"/u/{link(found, purpose(session, 'marketing'))}"


def _preferences(session: Session) -> str:
    return f"/p/{link(anna(session), capability=Capability.PREFERENCES)}"


def _expired(session: Session) -> str:
    return f"/p/{link(anna(session), capability=Capability.PREFERENCES, issued_at=OLD)}"


def _broken(session: Session) -> str:
    return "/p/" + "x" * 51


SCREENS: dict[str, Callable[[Session], str]] = {
    "unsubscribe": _unsubscribe,
    "unsubscribed": _unsubscribed,
    "preferences": _preferences,
    "expired": _expired,
    "broken": _broken,
    "landing": lambda _session: "/",
    "policy": lambda _session: "/policy",
    "cookies": lambda _session: "/cookies",
    "missing": lambda _session: "/nowhere",
}
