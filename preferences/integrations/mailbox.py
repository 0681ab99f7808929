"""The local mailbox of a development service: outgoing messages as `.eml` files that a page can show.

A file appears whole or not at all (written aside, then renamed), readable by its owner only; ids sort by time.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as reading_policy
from pathlib import Path
from typing import NewType

MailboxId = NewType("MailboxId", str)
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Received:
    """One message in the mailbox."""

    id: MailboxId
    raw: bytes = field(repr=False)

    @property
    def parsed(self) -> EmailMessage:
        """The message, for reading; defects are kept, not raised."""
        return message_from_bytes(self.raw, policy=reading_policy)

    @property
    def header_block(self) -> str:
        """The headers exactly as they went out."""
        return self.raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")

    def part(self, subtype: str) -> str:
        """The `plain` or `html` body, decoded; empty where there is none."""
        found = self.parsed.get_body(preferencelist=(subtype,))
        return "" if found is None else str(found.get_content()).replace("\r\n", "\n")


class Mailbox:
    """A folder of messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deliver(self, raw: bytes, *, now: datetime | None = None) -> MailboxId:
        """Store one message (mode 0600, durable). Returns its id."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        name = MailboxId(f"{moment:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}")
        aside = self.folder / f".{name}.new"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self.folder / f"{name}.eml")
        return name

    def newest(self, limit: int = 200) -> list[Received]:
        """The newest messages, newest first."""
        names = sorted((file.stem for file in self.folder.glob("*.eml") if _ID.fullmatch(file.stem)), reverse=True)
        found = (self.find(name) for name in names[:limit])
        return [one for one in found if one is not None]

    def find(self, message_id: str) -> Received | None:
        """The message with this id. Anything that is not an id of ours finds nothing, paths included."""
        if not _ID.fullmatch(message_id):
            return None
        try:
            return Received(MailboxId(message_id), (self.folder / f"{message_id}.eml").read_bytes())
        except FileNotFoundError:
            return None
