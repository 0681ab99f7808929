"""The values that mail is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom to whom, when, and under which Message-ID. Its repr holds no address: objects end up in logs."""

    to_address: str = field(repr=False)
    to_name: str | None = field(default=None, repr=False)
    from_address: str
    from_name: str
    reply_to: str = ""
    message_id: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template rendered in one language."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
