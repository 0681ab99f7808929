"""Postmark's bounces, complaints and unsubscribes, with the times and addresses that a test needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def bounce(
    at: datetime, *, address: str = "anna@example.se", kind: str = "HardBounce", number: int = 1
) -> dict[str, Any]:
    """A bounce, hard or soft."""
    return {
        "RecordType": "Bounce",
        "ID": number,
        "Type": kind,
        "Email": address,
        "Details": "550 5.1.1 unknown" if kind == "HardBounce" else "452 4.2.2 full",
        "BouncedAt": at.isoformat(),
    }


def complaint(at: datetime, address: str = "anna@example.se", **more: Any) -> dict[str, Any]:
    """A complaint."""
    return {"RecordType": "SpamComplaint", "ID": 9, "Email": address, "BouncedAt": at.isoformat(), **more}


def unsubscribe(at: datetime, address: str = "anna@example.se", **more: Any) -> dict[str, Any]:
    """An unsubscribe by the recipient."""
    return {
        "RecordType": "SubscriptionChange",
        "Recipient": address,
        "Origin": "Recipient",
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
        "ChangedAt": at.isoformat(),
        **more,
    }
