"""Receipts are listed, downloaded and kept to their owner."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.purpose import LawfulBasis
from preferences.models.ledger import EvidenceRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, make_recipient
from tests.support.page import Page
from tests.support.receipts import (
    consented,
    dpv,
    every_kind,
    record_of,
)
from tests.support.step_up import open_own_data, step_up


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish."""
    return make_recipient(session, locale="sv")


def test_evidence_is_told_while_it_is_stored(app: Flask, session: Session, anna: RecipientView) -> None:
    sale = {"source": "shop <b>", "sale_reference": "order 9", "similar_product": "x", "opt_out_offered": True}
    entry = act(session, anna, "marketing", basis=LawfulBasis.SOFT_OPT_IN, evidence=sale)
    me = step_up(app, anna)
    told = {
        one["schema:name"]: one["schema:value"]
        for one in record_of(dpv(me, entry))["dct:provenance"]["schema:additionalProperty"]
    }
    assert told == sale
    page = Page(me.client.get(f"/me/receipts/{entry}"))
    assert "order 9" in page.text
    assert "shop <b>" in page.text
    session.execute(delete(EvidenceRow))
    session.commit()
    assert "dct:provenance" not in record_of(dpv(me, entry))
    assert "order 9" not in me.client.get(f"/me/receipts/{entry}").text


def test_a_receipt_is_the_same_each_time(app: Flask, session: Session, anna: RecipientView) -> None:
    first, second = consented(session, anna), act(session, anna, "surveys", Act.WITHDRAWN)
    me = step_up(app, anna)
    assert dpv(me, first)["dct:identifier"] == dpv(me, first)["dct:identifier"]
    assert dpv(me, first)["dct:identifier"] != dpv(me, second)["dct:identifier"]


def test_receipts_are_downloads_that_no_cache_keeps(app: Flask, session: Session, anna: RecipientView) -> None:
    entry = consented(session, anna)
    me = step_up(app, anna)
    for name in (f"{entry}.jsonld", f"{entry}.kantara.json"):
        answer = me.client.get(f"/me/receipts/{name}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="receipt-{name}"'
        assert answer.headers["Cache-Control"] == "no-store"


def test_all_own_acts_are_listed_and_no_others(app: Flask, session: Session, anna: RecipientView) -> None:
    entries = every_kind(session, anna)
    bo = make_recipient(session, "bo@example.se")
    act(session, bo, "surveys")
    page = Page(step_up(app, anna).client.get("/me/receipts"))
    listed = [one.get("href", "") for one in page.all("a") if one.get("href", "").startswith("/me/receipts/")]
    assert listed == [f"/me/receipts/{entry}" for entry in reversed(entries)]
    assert "Svetskurs A, 3 december 2026" in page.text


def test_long_lists_come_in_pages(app: Flask, session: Session, anna: RecipientView) -> None:
    entries = [act(session, anna, "surveys", one) for one in (Act.GIVEN, Act.WITHDRAWN) * 14]
    me = step_up(app, anna)
    first = Page(me.client.get("/me/receipts"))
    (older,) = [one.get("href", "") for one in first.all("a") if "before=" in one.get("href", "")]
    rest = Page(me.client.get(older))
    assert f"/me/receipts/{entries[0]}" in rest.html
    assert f"/me/receipts/{entries[-1]}" in first.html
    assert me.client.get("/me/receipts?before=x").status_code == 200


def test_somebody_elses_receipt_is_as_if_it_were_not_there(app: Flask, session: Session, anna: RecipientView) -> None:
    bo = make_recipient(session, "bo@example.se")
    foreign, own = consented(session, bo), consented(session, anna)
    me = step_up(app, anna)
    assert me.client.get(f"/me/receipts/{own}").status_code == 200
    missing = me.client.get("/me/receipts/999999")
    for entry in (str(foreign), "0", "-1", "x", str(2**63 - 1), str(2**63), str(2**70)):
        for ending in ("", ".jsonld", ".kantara.json"):
            answer = me.client.get(f"/me/receipts/{entry}{ending}")
            assert answer.status_code == 404
        assert answer.text.replace(f"/me/receipts/{entry}", "") == missing.text.replace("/me/receipts/999999", "")
        assert me.post(f"/me/receipts/{entry}/mail").status_code == 404


def test_without_proof_of_the_mailbox_there_is_no_receipt(app: Flask, session: Session, anna: RecipientView) -> None:
    entry = consented(session, anna)
    stranger = app.test_client()
    for path in ("/me/receipts", f"/me/receipts/{entry}", f"/me/receipts/{entry}.jsonld"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.location) == (303, "/me/closed")


def test_a_new_person_has_none_yet(app: Flask, session: Session) -> None:
    assert "Inget har noterats än." in open_own_data(app, session).client.get("/me/receipts?lang=sv").text
