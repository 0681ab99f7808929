"""Standard Webhooks 1.0 (M13): the body and the three headers. Signatures come from the `standardwebhooks` library."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from preferences.domain.webhook_secrets import signing_key

MAX_BODY_BYTES = 20_000


class BodyTooLarge(Exception):
    """The message would be larger than receivers must accept."""


def make_body(kind: str, timestamp: datetime, data: Mapping[str, Any]) -> str:
    """The body: `type`, `timestamp`, `data`. Raises BodyTooLarge."""
    moment = timestamp.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = json.dumps({"type": kind, "timestamp": moment, "data": data}, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) >= MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


def signed_headers(message_id: str, body: str, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp` and `webhook-signature`: one signature for each secret in use."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(_sign(secret, message_id, body, now) for secret in secrets),
    }


def _sign(secret: str, message_id: str, body: str, now: datetime) -> str:
    key = signing_key(secret)
    if key is None:
        return Webhook(secret).sign(message_id, now.astimezone(UTC), body)
    signed = key.sign(f"{message_id}.{int(now.timestamp())}.{body}".encode())
    return "v1a," + base64.b64encode(signed).decode()
