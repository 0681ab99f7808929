"""Correcting and completing one's own profile, at once or as a request; two tabs lose nothing (GDPR 16, 19; L9)."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.profile import PROFILE_FIELDS
from preferences.domain.rights import RightsKind, RightsState
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from tests.factories import make_recipient
from tests.support.full_person import PROFILE
from tests.support.mailing import settings_changed
from tests.support.page import Page
from tests.support.rights import correction, requests, send_all
from tests.support.step_up import SteppedUp, step_up


def _stored(session: Session, me: SteppedUp) -> RecipientView:
    session.rollback()
    found = recipient_by_id(session, me.recipient.id)
    session.rollback()
    assert found is not None
    return found


def _anna(app: Flask, session: Session) -> SteppedUp:
    return step_up(app, make_recipient(session, name="Anna Å", profile=PROFILE))


def test_the_form_shows_what_is_stored(app: Flask, session: Session) -> None:
    sent = correction(_anna(app, session))
    assert sent["name"] == "Anna Å"
    assert {name: sent[name] for name in PROFILE_FIELDS} == PROFILE


def test_what_the_company_allows_is_changed_at_once_and_read_back(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    answer = me.client.post("/me/correct", data=correction(me, telephone=" 070\u00a012 ", name="Anna  Berg"))
    row = requests(session)[0]
    assert (answer.status_code, answer.location) == (303, f"/me/requests?new={row.reference}")
    after = _stored(session, me)
    assert (after.name, after.profile) == ("Anna Berg", {**PROFILE, "telephone": "070 12"})
    assert (row.kind, row.state) == (RightsKind.CORRECT, RightsState.FULFILLED)
    assert row.details == {"fields": ["name", "telephone"]}
    page = Page(me.client.get(answer.location))
    for words in ("Sparat.", "070 12", "Anna Berg"):
        assert words in page.text
    assert send_all(app) == {}


def test_mailers_are_told_which_fields_changed_and_not_to_what(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    me.client.post("/me/correct", data=correction(me, telephone="070"))
    event = session.scalars(select(ChangeEventRow)).one()
    assert (event.type, event.recipient_id) == (EventType.RECIPIENT_CORRECTED, me.recipient.id)
    assert event.data == {"fields": ["telephone"]}


def test_what_was_missing_is_completed(app: Flask, session: Session) -> None:
    me = step_up(app, make_recipient(session))
    me.client.post("/me/correct", data=correction(me, address="Gatan 1\r\n\r\n 111 22  Staden\r\n"))
    assert _stored(session, me).profile == {"address": "Gatan 1\n\n111 22 Staden"}
    assert requests(session)[0].kind is RightsKind.COMPLETE


def test_an_emptied_field_is_taken_away(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    me.client.post("/me/correct", data=correction(me, telephone="", name=" "))
    after = _stored(session, me)
    assert after.name is None
    assert "telephone" not in after.profile


def test_the_rest_becomes_a_request_with_a_receipt(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    answer = me.client.post("/me/correct", data=correction(me, company_name="Nya AB", vat_number="", telephone="1"))
    done, asked = sorted(requests(session), key=lambda row: row.state is RightsState.OPEN)
    assert answer.location == f"/me/requests?new={done.reference}&new={asked.reference}"
    assert (asked.kind, asked.state) == (RightsKind.CORRECT, RightsState.OPEN)
    assert asked.details == {"wanted": {"company_name": "Nya AB", "vat_number": ""}}
    assert _stored(session, me).profile == {**PROFILE, "telephone": "1"}
    page = me.client.get(answer.location).text
    for words in ("Nya AB", "(ska tas bort)", asked.reference, "Sparat."):
        assert words in page
    assert asked.reference in send_all(app)["anna@example.se"].part("plain")


def test_which_fields_are_changed_at_once_is_a_setting(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    with settings_changed(app, correctable_fields=("none",)):
        me.client.post("/me/correct", data=correction(me, telephone="1"))
    assert _stored(session, me).profile == PROFILE
    with settings_changed(app, correctable_fields=("company_name",)):
        me.client.post("/me/correct", data=correction(me, company_name="Nya AB"))
    assert _stored(session, me).profile["company_name"] == "Nya AB"


def test_blocked_data_is_not_changed_at_once(app: Flask, session: Session) -> None:
    me = step_up(app, make_recipient(session, profile=PROFILE, status=RecipientStatus.RESTRICTED))
    me.client.post("/me/correct", data=correction(me, telephone="1"))
    assert _stored(session, me).profile == PROFILE
    assert requests(session)[0].state is RightsState.OPEN


def test_a_form_sent_unchanged_records_nothing(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    answer = me.client.post("/me/correct", data=correction(me))
    assert answer.location == "/me/correct?unchanged=1"
    assert "inget att ändra" in me.client.get(answer.location).text
    assert requests(session) == []
    assert _stored(session, me).updated_at == me.recipient.updated_at


def test_a_form_sent_twice_is_done_once(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    data = correction(me, telephone="1", company_name="Nya AB")
    me.client.post("/me/correct", data=data)
    me.client.post("/me/correct", data=data)
    assert len(requests(session)) == 2


def test_two_tabs_change_two_fields_and_both_stay(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    first, second = correction(me, telephone="1"), correction(me, business_unit="Syd")
    assert me.client.post("/me/correct", data=first).status_code == 303
    assert me.client.post("/me/correct", data=second).status_code == 303
    assert _stored(session, me).profile == {**PROFILE, "telephone": "1", "business_unit": "Syd"}


def test_two_tabs_change_one_field_and_the_later_is_asked_first(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    first, second = correction(me, telephone="1"), correction(me, telephone="2", business_unit="Syd")
    me.client.post("/me/correct", data=first)
    answer = me.client.post("/me/correct", data=second)
    assert answer.status_code == 422
    assert _stored(session, me).profile == {**PROFILE, "telephone": "1"}
    assert "Nu står det: 1." in answer.text
    form = next(one for one in Page(answer).forms() if one.path == "/me/correct")
    assert (form.fields["telephone"], form.fields["business_unit"]) == ("2", "Syd")
    areas = {area.get("name", ""): (area.text or "").lstrip("\n") for area in form.element.iter("textarea")}
    assert me.client.post("/me/correct", data=form.fields | areas).status_code == 303
    assert _stored(session, me).profile == {**PROFILE, "telephone": "2", "business_unit": "Syd"}


def test_what_the_page_did_not_show_is_not_changed(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    data = correction(me)
    for field in ("telephone", "shown-name"):
        del data[field]
    me.client.post("/me/correct", data={**data, "name": "X", "status": "erased", "address_index": "x", "source": "y"})
    assert _stored(session, me).profile == PROFILE
    assert _stored(session, me).name == "Anna Å"
    assert requests(session) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("telephone", "1" * 1001),
        ("name", "å" * 201),
        ("address", "x\x00y"),
        ("telephone", "1\x1b[31m2"),
        ("established_on", "1 april"),
        ("established_on", "1987-02-30"),
        ("established_on", "19870401"),
    ],
)
def test_a_value_that_cannot_be_stored_comes_back_with_the_reason(
    app: Flask, session: Session, field: str, value: str
) -> None:
    me = _anna(app, session)
    answer = me.client.post("/me/correct", data=correction(me, business_unit="Syd", **{field: value}))
    assert answer.status_code == 422
    assert re.search(r"<title>\s*Fel:", answer.text)
    assert f'href="#field-{field}"' in answer.text
    assert (
        f'aria-describedby="{"hint-established_on " if field == "established_on" else ""}error-{field}"' in answer.text
    )
    assert 'value="Syd"' in answer.text
    assert (_stored(session, me).profile, _stored(session, me).name) == (PROFILE, "Anna Å")


def test_every_field_can_be_full_of_the_widest_letters(app: Flask, session: Session) -> None:
    me = step_up(app, make_recipient(session))
    full = {name: "😀" * 1000 for name in PROFILE_FIELDS if name != "established_on"}
    assert me.client.post("/me/correct", data=correction(me, name="😀" * 200, **full)).status_code == 303
    assert _stored(session, me).profile["telephone"] == "😀" * 1000


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "%(now)s{{7*7}}"])
def test_hostile_values_are_shown_as_text(app: Flask, session: Session, evil: str) -> None:
    me = _anna(app, session)
    answer = me.client.post("/me/correct", data=correction(me, telephone=evil, company_name=evil))
    for path in (answer.location, "/me/correct", "/me/requests", "/me/data"):
        text = me.client.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_change_by_the_company_meanwhile_is_told(app: Flask, session: Session) -> None:
    me = _anna(app, session)
    data = correction(me, name="Anna Berg")
    session.execute(update(RecipientRow).values(name="A. Åkesson <x>"))
    session.commit()
    answer = me.client.post("/me/correct", data=data)
    assert answer.status_code == 422
    assert "Nu står det: A. Åkesson &lt;x&gt;." in answer.text
