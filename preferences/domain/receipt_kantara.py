"""A receipt in the Kantara Initiative's Consent Receipt format, version 1.1.0 of 2018-02-20.

The specification knows no withdrawal and no objection. So `consentType` is EXPLICIT only where consent was given, and the
purpose begins with what was done, in words: nobody can take a no for a yes.
"""

from __future__ import annotations

from typing import Any

from .acts import STOPS, Act
from .purpose import About
from .receipt import Receipt, utc_text

VERSION = "KI-CR-v1.1.0"

MARKETING, CONTACT_REQUESTED = "6 - Marketing", "4 - Contact Requested"
BIOGRAPHICAL, CONTACT = "1 - Biographical", "2 - Contact"
NOT_CONSENT = "N/A"


def as_kantara(receipt: Receipt) -> dict[str, Any]:
    """The receipt as the JSON that appendix B of the specification describes."""
    one = receipt.controller
    return {
        "version": VERSION,
        "jurisdiction": one.country,
        "consentTimestamp": int(receipt.occurred_at.timestamp()),
        "collectionMethod": receipt.words.method,
        "consentReceiptID": receipt.receipt_id,
        "language": receipt.language,
        "piiPrincipalId": receipt.address,
        "piiControllers": [
            {
                "piiController": one.name,
                "onBehalf": False,
                "contact": one.name,
                "address": {"streetAddress": one.address, "addressCountry": one.country},
                "email": one.email,
                "phone": one.phone,
                **({"piiControllerUrl": one.website} if one.website else {}),
            }
        ],
        "policyUrl": receipt.policy_url,
        "services": [{"service": one.name, "purposes": [_purpose(receipt)]}],
        "sensitive": False,
        "spiCat": [],
    }


def _purpose(receipt: Receipt) -> dict[str, Any]:
    is_consent = receipt.is_about_consent and receipt.act is Act.GIVEN
    shown = receipt.described
    return {
        "purpose": f"{receipt.words.act}: {receipt.title}. {shown.what} {shown.why}",
        "purposeCategory": [MARKETING if receipt.is_marketing else CONTACT_REQUESTED],
        "consentType": "EXPLICIT" if is_consent else NOT_CONSENT,
        "piiCategory": [BIOGRAPHICAL] if receipt.about is About.PUBLICATION else [CONTACT],
        "primaryPurpose": True,
        "termination": _termination(receipt),
        "thirdPartyDisclosure": False,
    }


def _termination(receipt: Receipt) -> str:
    """When it ends; for an act that ended it, what did so and when."""
    if receipt.act in STOPS:
        return f"{receipt.words.act}, {utc_text(receipt.occurred_at)}"
    if receipt.paused_until is not None:
        return f"{receipt.words.act}, {utc_text(receipt.occurred_at)} – {utc_text(receipt.paused_until)}"
    return receipt.described.how_long
