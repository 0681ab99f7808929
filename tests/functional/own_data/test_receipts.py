"""Receipts say what the ledger says, in every form, to their owner alone (GDPR 7(1); ISO/IEC TS 27560; Kantara 1.1)."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.purposes.purposes import publish_version
from tests.factories import act, make_recipient
from tests.support.json_schema import violations
from tests.support.mailing import settings_changed
from tests.support.page import Page
from tests.support.receipts import (
    COMPANY,
    KANTARA,
    MANDATORY_OF_EVENT,
    MANDATORY_OF_PARTY,
    MANDATORY_OF_PROCESS,
    MANDATORY_OF_RECORD,
    consented,
    dpv,
    event_of,
    every_kind,
    kantara,
    record_of,
)
from tests.support.step_up import step_up


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish."""
    return make_recipient(session, locale="sv")


def test_every_kind_of_act_has_every_mandatory_field_of_27560(
    app: Flask, session: Session, anna: RecipientView
) -> None:
    entries = every_kind(session, anna)
    with settings_changed(app, **COMPANY):
        me = step_up(app, anna)
        for entry in entries:
            receipt = dpv(me, entry)
            record = record_of(receipt)
            assert receipt["dct:conformsTo"].startswith("https://w3id.org/dpv/schema/dpv-27560")
            assert receipt["dct:identifier"]
            assert all(record[field] for field in MANDATORY_OF_RECORD)
            assert all(record["dpv:hasProcess"][field] for field in MANDATORY_OF_PROCESS)
            kinds = {one["@type"] for one in record["dpv:hasProcess"]["dpv:hasStorageCondition"]}
            assert kinds == {"dpv:StorageLocation", "dpv:StorageDuration"}
            assert all(party[field] for party in record["dpv:hasEntity"] for field in MANDATORY_OF_PARTY)
            assert all(event_of(record)[field] for field in MANDATORY_OF_EVENT)
            assert all(notice["dct:language"] for notice in record["dpv:hasNotice"])


def test_every_kind_of_act_has_every_mandatory_field_of_kantara(
    app: Flask, session: Session, anna: RecipientView
) -> None:
    entries = every_kind(session, anna)
    with settings_changed(app, **COMPANY):
        me = step_up(app, anna)
        for entry in entries:
            assert list(violations(kantara(me, entry), KANTARA)) == []


def test_a_consent_is_told_as_one(app: Flask, session: Session, anna: RecipientView) -> None:
    entry = consented(session, anna)
    with settings_changed(app, **COMPANY):
        me = step_up(app, anna)
        receipt, other = dpv(me, entry), kantara(me, entry)
    record = record_of(receipt)
    assert (receipt["@type"], record["@type"]) == ("dpv:ConsentReceipt", "dpv:ConsentRecord")
    assert record["dpv:hasConsentStatus"]["@type"] == ["dpv:ConsentGiven", "dpv:ExpressedConsent"]
    assert record["dpv:hasConsentStatus"]["dpv:isIndicatedBy"] == "dpv:DataSubject"
    assert record["dpv:hasProcess"]["dpv:hasLegalBasis"] == "eu-gdpr:A6-1-a"
    assert record["dpv:hasEntity"][0]["dpv:hasName"] == "Kundbolaget AB"
    assert "anna@example.se" not in json.dumps(receipt), "the DPV form names the person by a pseudonym"
    assert other["piiPrincipalId"] == "anna@example.se"
    assert other["services"][0]["purposes"][0]["consentType"] == "EXPLICIT"
    assert other["piiControllers"][0]["phone"] == "+46 8 123 45 67"
    assert other["consentReceiptID"] == receipt["dct:identifier"]


def test_nobody_can_take_a_no_for_a_yes(app: Flask, session: Session, anna: RecipientView) -> None:
    given, *others = every_kind(session, anna)
    me = step_up(app, anna)
    for entry in others:
        receipt, other = dpv(me, entry), kantara(me, entry)
        assert "ConsentGiven" not in json.dumps(receipt)
        assert other["services"][0]["purposes"][0]["consentType"] == "N/A"
    assert "ConsentGiven" in json.dumps(dpv(me, given))
    objected = dpv(me, others[5])
    assert (objected["@type"], "dpv:hasConsentStatus" in record_of(objected)) == ("dpv:DataProcessingRecord", False)
    assert event_of(record_of(objected))["@type"] == "dpv:ObjectingToProcess"
    withdrawn = kantara(me, others[1])["services"][0]["purposes"][0]
    assert withdrawn["purpose"].startswith("Du tog tillbaka ditt samtycke: Enkäter.")
    assert withdrawn["termination"].startswith("Du tog tillbaka ditt samtycke, 20")


def test_the_wording_is_the_text_that_was_shown_and_no_newer_one(
    app: Flask, session: Session, anna: RecipientView, now: datetime
) -> None:
    entry = consented(session, anna)
    was = catalogue(session).by_key("surveys").texts["sv"]
    texts = [NoticeText(one, f"Ny titel {one}", "a", "b", "c", "d") for one in ("sv", "en")]
    publish_version(session, "surveys", texts=texts, lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    me = step_up(app, anna)
    notice = record_of(dpv(me, entry))["dpv:hasNotice"][0]
    assert notice["dct:title"] == was.title
    assert notice["dct:description"] == [was.what, was.why, was.who, was.how_long]
    assert (notice["dct:language"], notice["dct:identifier"]) == ("sv", "surveys 1")
    page = Page(me.client.get(f"/me/receipts/{entry}"))
    for words in (was.title, was.what, was.why, was.who, was.how_long, "Version 1, svenska"):
        assert words in page.text
    assert "Ny titel" not in page.text
    assert kantara(me, entry)["services"][0]["purposes"][0]["termination"] == was.how_long


def test_the_wording_stays_in_its_own_language_and_the_rest_in_that_of_the_page(
    app: Flask, session: Session, anna: RecipientView
) -> None:
    entry = consented(session, anna, locale="sv")
    me = step_up(app, anna)
    english = Page(me.client.get(f"/me/receipts/{entry}?lang=en"))
    assert english.language == "en"
    assert "You said yes" in english.text
    assert "Asked for on a page and confirmed from your mailbox" in english.text
    (wording,) = english.all("div", **{"class": "stack"})
    swedish = [element for element in wording.iter() if element.get("lang") == "sv"]
    assert "Vi frågar ibland" in " ".join("".join(element.itertext()) for element in swedish)
    receipt = kantara(me, entry, "?lang=en")
    assert (receipt["language"], receipt["collectionMethod"]) == (
        "en",
        "Asked for on a page and confirmed from your mailbox",
    )
    assert kantara(me, entry)["language"] == "sv"


def test_where_nothing_of_ours_was_shown_the_receipt_claims_no_wording(
    app: Flask, session: Session, anna: RecipientView
) -> None:
    entry = act(session, anna, "surveys", Act.WITHDRAWN, method=Method.ONE_CLICK)
    me = step_up(app, anna)
    notices = record_of(dpv(me, entry))["dpv:hasNotice"]
    assert [one["@type"] for one in notices] == ["dpv:PrivacyNotice"]
    assert notices[0]["@id"] == "https://preferences.example/policy"
    assert "Ingen ordalydelse från oss är sparad" in me.client.get(f"/me/receipts/{entry}").text
