"""A receipt as JSON-LD in the W3C Data Privacy Vocabulary, with the fields that ISO/IEC TS 27560:2023 makes mandatory.

Follows «Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV» (https://w3id.org/dpv/guides/consent-27560, final
community group report of 2024-08-01). The context stands in the document: nothing has to be fetched to read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .acts import Act, Actor
from .purpose import About, LawfulBasis
from .receipt import Receipt, utc_text

_IRI = {"@type": "@id"}
CONTEXT: dict[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": _IRI,
    "dct:publisher": _IRI,
    "dct:created": {"@type": "xsd:dateTime"},
    "dct:date": {"@type": "xsd:dateTime"},
    "schema:recipient": _IRI,
    "schema:url": _IRI,
    "skos:broader": _IRI,
    "dpv:hasApplicableLaw": _IRI,
    "dpv:hasDataController": _IRI,
    "dpv:hasJurisdiction": _IRI,
    "dpv:hasLegalBasis": _IRI,
    "dpv:hasLocation": _IRI,
    "dpv:isExercisedAt": _IRI,
    "dpv:isIndicatedBy": _IRI,
    "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
}

RECEIPT_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
RECORD_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
SAME_FIELDS = "https://w3id.org/dpv/schema/dpv-27560"
"""What an objection names: the same fields, but no receipt of consent."""

_CONSENT_STATES = {
    Act.GIVEN: "dpv:ConsentGiven",
    Act.REFUSED: "dpv:ConsentRefused",
    Act.WITHDRAWN: "dpv:ConsentWithdrawn",
    Act.REVOKED: "dpv:ConsentRevoked",
}
_INVOLVEMENTS = {
    Act.GIVEN: "dpv:EntityPassiveInvolvement",
    Act.REFUSED: "dpv:OptingOutFromProcess",
    Act.WITHDRAWN: "dpv:WithdrawingFromProcess",
    Act.OBJECTED: "dpv:ObjectingToProcess",
    Act.OBJECTION_LIFTED: "dpv:OptingInToProcess",
    Act.PAUSED: "dpv:OptingOutFromProcess",
    Act.RESUMED: "dpv:OptingInToProcess",
    Act.REVOKED: "dpv:WithdrawingFromProcess",
}
"""What an act is where it does not concern consent. A customer who did not say no (`given`) was only informed."""

_BASES = {
    LawfulBasis.CONSENT: "eu-gdpr:A6-1-a",
    LawfulBasis.SOFT_OPT_IN: "eu-gdpr:A6-1-f",
    LawfulBasis.LEGITIMATE_INTEREST: "eu-gdpr:A6-1-f",
}
_RIGHTS = ("A15", "A16", "A17", "A18", "A20", "A21", "A77")


def as_dpv(receipt: Receipt) -> dict[str, Any]:
    """The receipt with the record inside."""
    controller, receipt_id, record_id = _controller_id(receipt), receipt.receipt_id, receipt.record_id
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{receipt_id}",
        "@type": "dpv:ConsentReceipt" if receipt.is_about_consent else "dpv:DataProcessingRecord",
        "dct:conformsTo": RECEIPT_SCHEMA if receipt.is_about_consent else SAME_FIELDS,
        "dct:identifier": receipt_id,
        "dpv:hasIdentifier": receipt_id,
        "dct:title": f"{receipt.words.act}: {receipt.title}",
        "dct:language": receipt.language,
        "dct:created": utc_text(receipt.made_at),
        "dct:publisher": controller,
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": {
            "@id": f"urn:uuid:{record_id}",
            "@type": "dpv:ConsentRecord" if receipt.is_about_consent else "dpv:DataProcessingRecord",
            "dct:conformsTo": RECORD_SCHEMA if receipt.is_about_consent else SAME_FIELDS,
            "dct:identifier": record_id,
            "dpv:hasIdentifier": record_id,
            "dpv:hasDataSubject": {
                "@id": f"urn:uuid:{record_id}#data-subject",
                "@type": "dpv:DataSubject",
                "dct:identifier": receipt.recipient,
            },
            "dpv:hasNotice": _notice(receipt),
            "dpv:hasProcess": _process(receipt),
            "dpv:hasEntity": [_controller(receipt)],
            **_event(receipt),
            **({"dct:provenance": _provenance(receipt)} if receipt.evidence else {}),
            **({"schema:additionalProperty": _proof(receipt.proof)} if receipt.proof else {}),
        },
    }


def _notice(receipt: Receipt) -> list[dict[str, Any]]:
    """The policy, and the exact text shown with its version and language."""
    policy = {
        "@id": receipt.policy_url,
        "@type": "dpv:PrivacyNotice",
        "dct:language": receipt.language,
        "schema:url": receipt.policy_url,
    }
    shown = receipt.wording
    if shown is None:
        return [policy]
    notice: dict[str, Any] = {
        "@id": f"urn:uuid:{receipt.record_id}#notice",
        "@type": "dpv:ConsentNotice" if receipt.is_about_consent else "dpv:PrivacyNotice",
        "dct:identifier": f"{receipt.purpose_key} {receipt.notice_number}",
        "dct:language": shown.locale.replace("_", "-"),
        "dct:title": shown.title,
        "dct:description": [shown.what, shown.why, shown.who, shown.how_long],
    }
    if receipt.notice_published_at is not None:
        notice["dct:date"] = utc_text(receipt.notice_published_at)
    return [notice, policy]


def _process(receipt: Receipt) -> dict[str, Any]:
    controller, country = _controller_id(receipt), f"loc:{receipt.controller.country}"
    exercised_at = f"{receipt.controller.base_url}/"
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "skos:broader": _purpose(receipt),
            "dct:identifier": receipt.purpose_key,
            "dct:title": receipt.title,
            "dct:description": f"{receipt.described.what} {receipt.described.why}",
        },
        "dpv:hasPersonalData": [
            {"@type": "dpv:PersonalData", "skos:broader": kind} for kind in _personal_data(receipt)
        ],
        "dpv:hasDataController": controller,
        "dpv:hasRecipient": [
            {"@id": controller},
            {"@type": "dpv:Recipient", "dct:description": receipt.described.who},
        ],
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": country},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _until(receipt.described.how_long)},
        ],
        **({"dpv:hasLegalBasis": _BASES[receipt.basis]} if receipt.basis else {}),
        "dpv:hasJurisdiction": country,
        "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent" if receipt.basis is LawfulBasis.CONSENT else "dpv:ObjectingToProcess",
            "dpv:isExercisedAt": exercised_at,
        },
        "dpv:hasRight": [
            {"@type": ["dpv:DataSubjectRight", f"eu-gdpr:{right}"], "dpv:isExercisedAt": exercised_at}
            for right in (("A7-3", *_RIGHTS) if receipt.basis is LawfulBasis.CONSENT else _RIGHTS)
        ],
    }


def _event(receipt: Receipt) -> dict[str, Any]:
    """What happened, when, by whom, how, and for how long it holds."""
    by = "dpv:DataSubject" if receipt.actor is Actor.RECIPIENT else _controller_id(receipt)
    event: dict[str, Any] = {
        "dpv:isIndicatedAtTime": utc_text(receipt.occurred_at),
        "dpv:isIndicatedBy": by,
        "dpv:hasIndicationMethod": receipt.words.method,
        "dct:created": utc_text(receipt.recorded_at),
        "dct:description": receipt.words.act,
    }
    if receipt.paused_until is not None:
        event["dpv:hasDuration"] = {"@type": "dpv:UntilTimeDuration", "rdf:value": utc_text(receipt.paused_until)}
    else:
        event["dpv:hasDuration"] = _until(receipt.described.how_long)
    if receipt.is_about_consent:
        types = [_CONSENT_STATES[receipt.act], "dpv:ExpressedConsent"]
        return {"dpv:hasConsentStatus": {"@type": types, **event}}
    return {"dpv:hasEntityInvolvement": {"@type": _INVOLVEMENTS[receipt.act], **event}}


def _controller(receipt: Receipt) -> dict[str, Any]:
    one = receipt.controller
    contact = {"@type": "schema:ContactPoint", "schema:email": one.email}
    if one.phone:
        contact["schema:telephone"] = one.phone
    entity: dict[str, Any] = {
        "@id": _controller_id(receipt),
        "@type": ["dpv:Organisation", "dpv:DataController"],
        "dpv:hasIdentifier": _controller_id(receipt),
        "dpv:hasName": one.name,
        "schema:contactPoint": contact,
        "schema:address": {
            "@type": "schema:PostalAddress",
            "schema:streetAddress": one.address,
            "schema:addressCountry": one.country,
        },
    }
    if one.website:
        entity["schema:url"] = one.website
    return entity


def _provenance(receipt: Receipt) -> dict[str, Any]:
    """The evidence, as it is stored."""
    return {
        "@type": "dct:ProvenanceStatement",
        "schema:additionalProperty": [
            {"@type": "schema:PropertyValue", "schema:name": name, "schema:value": value}
            for name, value in receipt.evidence.items()
        ],
    }


def _proof(proof: Mapping[str, Any]) -> dict[str, Any]:
    """The proof that the record was sealed, as it is: docs/seals.md says how to check it."""
    return {
        "@type": "schema:PropertyValue",
        "schema:propertyID": proof["format"],
        "schema:value": {"@type": "@json", "@value": proof},
    }


def _controller_id(receipt: Receipt) -> str:
    return f"{receipt.controller.base_url}/#controller"


def _until(text: str) -> dict[str, Any]:
    return {"@type": "dpv:UntilEventDuration", "rdf:value": text}


def _purpose(receipt: Receipt) -> str:
    if receipt.is_marketing:
        return "dpv:DirectMarketing"
    return "dpv:PublicRelations" if receipt.about is About.PUBLICATION else "dpv:CommunicationManagement"


def _personal_data(receipt: Receipt) -> tuple[str, ...]:
    if receipt.about is not About.PUBLICATION:
        return ("pd:EmailAddress", "pd:Name")
    if receipt.purpose_key == "photo_name":
        return ("pd:Name",)
    return ("pd:Picture",) if receipt.purpose_key == "photo_image" else ("pd:Name", "pd:Picture")
