"""Staff see a person's page exactly as the person has it now, and nothing on it acts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.unsubscribe import stop_everything
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page, get, words
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.visits import preferences_url


def path(one: RecipientView) -> str:
    return f"/admin/recipients/{format_recipient_id(one.id)}/preview"


def same(viewer: StaffBrowser, client: StrictClient, one: RecipientView, language: str = "") -> Page:
    """The preview, after it was compared with the person's own page."""
    asked = f"?lang={language}" if language else ""
    seen, own = Page(viewer.get(path(one) + asked)), get(client, preferences_url(one) + asked)
    assert words(seen.all("main")[0]).replace(" ", "") == words(own.all("main")[0]).replace(" ", "")
    for tag in ("input", "button", "details"):
        assert len(seen.all(tag)) == len(own.all(tag))
    (everything,) = [found for found in seen.all("fieldset") if "disabled" in found.attrib]
    assert len(list(everything.iter("input"))) == len(seen.all("input"))
    assert len(list(everything.iter("button"))) == len(seen.all("button"))
    assert seen.all("form") == []
    assert "/p/" not in seen.html
    back, *switches = [found.get("href", "") for found in seen.all("a") if found.get("href") != "#content"]
    assert back == path(one).removesuffix("/preview")
    assert all(found.startswith("?lang=") for found in switches)
    return seen


def test_the_preview_is_the_page_itself_and_nothing_on_it_acts(
    app: Flask, client: StrictClient, session: Session
) -> None:
    anna = make_recipient(session, locale="sv")
    act(session, anna, "marketing")
    act(session, anna, "events", Act.OBJECTED)
    until = datetime.now(UTC) + timedelta(days=40)
    act(session, anna, "marketing", Act.PAUSED, paused_until=until)
    viewer = signed_in(app, session, Role.VIEWER)
    seen = same(viewer, client, anna)
    assert "Förhandsvisning" in seen.text
    assert "a•••@e•••.se" in seen.text
    assert "anna@example.se" not in seen.html
    assert audited(session)[-1] == "recipient_previewed"
    assert "Your choices" in same(viewer, client, anna, "en").text
    stop_everything(session, anna.id, method=Method.PREFERENCE_PAGE, now=datetime.now(UTC))
    session.commit()
    assert "stoppat" in same(viewer, client, anna).text
    for status in (RecipientStatus.RESTRICTED, RecipientStatus.ACTIVE):
        session.execute(update(RecipientRow).values(status=status))
        session.commit()
        same(viewer, client, anna)
    other = make_recipient(session, "bo@example.se", locale="en")
    assert "Your choices" in same(viewer, client, other).text
    assert viewer.get("/admin/recipients/0000000000000/preview").status_code == 404
