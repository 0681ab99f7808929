"""The way from a link in a mail to own data is on the pages that the link opens."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from tests.factories import link, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page


@pytest.mark.parametrize("status", [RecipientStatus.ACTIVE, RecipientStatus.RESTRICTED])
def test_the_page_of_a_preferences_link_asks_the_mailbox_with_one_button(
    app: Flask, session: Session, client: StrictClient, status: RecipientStatus
) -> None:
    token = link(make_recipient(session, status=status), capability=Capability.PREFERENCES)
    page = Page(client.get(f"/p/{token}?lang=en"))
    forms = [one.get("action") for one in page.all("form") if one.get("method") == "post"]
    assert f"/p/{token}/step-up?lang=en" in forms
    assert client.post(f"/p/{token}/step-up?lang=en").location == f"/s/{token}/code?lang=en"
