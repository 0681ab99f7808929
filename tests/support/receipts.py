"""Receipts in tests: what both specifications require, and an entry of every act to make them from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.purpose import LawfulBasis
from preferences.models.training import TrainingRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, purpose
from tests.support.step_up import SteppedUp

COMPANY = {
    "organisation_name": "Kundbolaget AB",
    "organisation_address": "Storgatan 1, 111 22 Stockholm",
    "organisation_phone": "+46 8 123 45 67",
    "organisation_email": "privacy@kundbolaget.example",
}

KANTARA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "version": {"const": "KI-CR-v1.1.0"},
        "jurisdiction": {"type": "string"},
        "consentTimestamp": {"type": "integer"},
        "collectionMethod": {"type": "string"},
        "consentReceiptID": {"type": "string"},
        "language": {"type": "string"},
        "piiPrincipalId": {"type": "string"},
        "policyUrl": {"type": "string"},
        "sensitive": {"type": "boolean"},
        "spiCat": {"type": "array", "items": {"type": "string"}},
        "piiControllers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "piiController": {"type": "string"},
                    "onBehalf": {"type": "boolean"},
                    "contact": {"type": "string"},
                    "address": {"type": "object"},
                    "email": {"type": "string"},
                    "phone": {"type": "string"},
                },
                "required": ["piiController", "contact", "address", "email", "phone"],
            },
        },
        "services": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "service": {"type": "string"},
                    "purposes": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "purpose": {"type": "string"},
                                "consentType": {"type": "string"},
                                "purposeCategory": {"type": "array", "items": {"type": "string"}},
                                "piiCategory": {"type": "array", "items": {"type": "string"}},
                                "primaryPurpose": {"type": "boolean"},
                                "termination": {"type": "string"},
                                "thirdPartyDisclosure": {"type": "boolean"},
                            },
                            "required": [
                                "consentType",
                                "purposeCategory",
                                "piiCategory",
                                "termination",
                                "thirdPartyDisclosure",
                            ],
                        },
                    },
                },
                "required": ["service", "purposes"],
            },
        },
    },
    "required": [
        "version",
        "jurisdiction",
        "consentTimestamp",
        "collectionMethod",
        "consentReceiptID",
        "piiPrincipalId",
        "piiControllers",
        "services",
        "policyUrl",
        "sensitive",
        "spiCat",
    ],
}
"""What the specification requires, after the JSON schema of its appendix B."""

MANDATORY_OF_RECORD = (
    "dct:conformsTo",
    "dct:identifier",
    "dpv:hasDataSubject",
    "dpv:hasNotice",
    "dpv:hasProcess",
    "dpv:hasEntity",
)
MANDATORY_OF_PROCESS = (
    "dpv:hasPurpose",
    "dpv:hasPersonalData",
    "dpv:hasDataController",
    "dpv:hasStorageCondition",
    "dpv:hasJurisdiction",
    "dpv:hasRecipient",
    "dpv:hasConsentControl",
    "dpv:hasRight",
)
MANDATORY_OF_PARTY = ("@type", "dpv:hasIdentifier", "dpv:hasName", "schema:contactPoint", "schema:address")
MANDATORY_OF_EVENT = ("@type", "dpv:isIndicatedAtTime", "dpv:isIndicatedBy", "dpv:hasDuration")


def shown(session: Session, key: str, locale: str = "sv") -> dict[str, Any]:
    """As if our page had shown the current notice."""
    return {"notice_version_id": purpose(session, key).notice_version_id, "locale": locale}


def consented(session: Session, anna: RecipientView, key: str = "surveys", locale: str = "sv") -> int:
    """A consent confirmed from the mailbox."""
    return act(session, anna, key, method=Method.DOUBLE_OPT_IN, **shown(session, key, locale))


def dpv(me: SteppedUp, entry: int, query: str = "") -> dict[str, Any]:
    """The receipt as JSON-LD."""
    answer = me.client.get(f"/me/receipts/{entry}.jsonld{query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/ld+json")
    found: dict[str, Any] = json.loads(answer.data)
    return found


def kantara(me: SteppedUp, entry: int, query: str = "") -> dict[str, Any]:
    """The receipt in Kantara's form."""
    answer = me.client.get(f"/me/receipts/{entry}.kantara.json{query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = json.loads(answer.data)
    return found


def record_of(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """The record inside a receipt."""
    found: dict[str, Any] = receipt["dpv:hasRecordOfActivity"]
    return found


def event_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What happened."""
    found: dict[str, Any] = record.get("dpv:hasConsentStatus") or record["dpv:hasEntityInvolvement"]
    return found


def every_kind(session: Session, anna: RecipientView) -> list[int]:
    """An entry of every act, with wording and without."""
    until = datetime.now(UTC) + timedelta(days=30)
    sale = {"source": "shop", "sale_reference": "1", "similar_product": "x", "opt_out_offered": True}
    training = TrainingRow(title="Svetskurs A", place="Örebro", held_on=date(2026, 12, 3), created_at=datetime.now(UTC))
    session.add(training)
    session.commit()
    return [
        consented(session, anna),
        act(session, anna, "surveys", Act.REFUSED, method=Method.PREFERENCE_PAGE, **shown(session, "surveys")),
        act(session, anna, "surveys", Act.WITHDRAWN, method=Method.ONE_CLICK),
        act(session, anna, "marketing", basis=LawfulBasis.SOFT_OPT_IN, evidence=sale),
        act(session, anna, "marketing", Act.PAUSED, paused_until=until, method=Method.PREFERENCE_PAGE),
        act(session, anna, "marketing", Act.RESUMED, method=Method.DOUBLE_OPT_IN),
        act(session, anna, "events", Act.OBJECTED, method=Method.MAILTO),
        act(session, anna, "events", Act.OBJECTION_LIFTED, method=Method.DOUBLE_OPT_IN),
        act(session, anna, "events", Act.REVOKED, method=Method.STAFF, actor=Actor.STAFF, actor_id=7),
        act(session, anna, "everything", Act.OBJECTED, method=Method.UNSUBSCRIBE_PAGE),
        act(session, anna, "photo_image", Act.OBJECTED, training_id=training.id, method=Method.PREFERENCE_PAGE),
    ]
