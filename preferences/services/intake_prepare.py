"""The part of an intake that needs no database: check, hash, encrypt. Done before the transaction, so that no lock is held."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from preferences.domain.catalogue import Catalogue
from preferences.domain.errors import InvalidValue
from preferences.domain.intake import (
    CheckedAct,
    IncomingRecipient,
    Outcome,
    RowResult,
    check_fields,
    check_incoming_evidence,
)
from preferences.models.crypto import EncryptedJson, keyring

from .consent import digest_evidence

_evidence_column = EncryptedJson("evidence.content")
_profile_column = EncryptedJson("recipients.profile")


@dataclass(slots=True)
class Prepared:
    """One row, checked; its indexes, and with `sealed` everything it may store, encrypted."""

    row: IncomingRecipient
    address_index: bytes
    external_index: bytes | None
    profile: dict[str, str]
    act: CheckedAct | None
    sealed: Sealed | None = None


@dataclass(slots=True)
class Sealed:
    """The encrypted values of a new recipient and of the evidence."""

    domain_index: bytes
    address: bytes
    external_id: bytes | None
    name: bytes | None
    profile: bytes | None
    evidence: bytes | None
    evidence_digest: bytes | None


def prepare_rows(
    rows: Iterable[IncomingRecipient], known: Catalogue, *, now: datetime
) -> Iterator[Prepared | RowResult]:
    """Check each row and find its indexes; a row that cannot be used comes out as its result. Nothing is encrypted."""
    keys = keyring()
    for row in rows:
        try:
            profile = check_fields(row)
            act = check_incoming_evidence(row.evidence, known, now) if row.evidence else None
        except InvalidValue as error:
            yield RowResult(row.line, Outcome.INVALID, reason=error.code, detail=error.detail)
            continue
        external = keys.external_index(row.external_id) if row.external_id else None
        yield Prepared(row, keys.address_index(row.address.normal), external, profile, act)


def seal_rows(prepared: Iterable[Prepared | RowResult]) -> list[Prepared | RowResult]:
    """Encrypt what each row may come to store."""
    found = list(prepared)
    for one in found:
        if isinstance(one, Prepared):
            one.sealed = _seal(one)
    return found


def seal_text(text: str | None, where: bytes) -> bytes | None:
    """A text as an EncryptedText column (`table.column`) stores it."""
    return keyring().encrypt(text.encode(), where) if text else None


def seal_profile(profile: Mapping[str, Any]) -> bytes | None:
    """A profile as its column stores it."""
    return _profile_column.process_bind_param(profile, None) if profile else None  # type: ignore[arg-type]


def open_profile(stored: bytes | None) -> Mapping[str, Any]:
    """A stored profile; empty where there is none."""
    return _profile_column.process_result_value(stored, None) or {}  # type: ignore[arg-type]


def open_text(stored: bytes | None, where: bytes) -> str | None:
    """A stored text."""
    return None if stored is None else keyring().decrypt(bytes(stored), where).decode()


def _seal(one: Prepared) -> Sealed:
    row = one.row
    salted = None
    if one.act is not None and one.act.evidence:
        salted = {**one.act.evidence, "salt": secrets.token_hex(16)}
    return Sealed(
        domain_index=keyring().domain_index(row.address.domain),
        address=keyring().encrypt(row.address.original.encode(), b"recipients.address"),
        external_id=seal_text(row.external_id, b"recipients.external_id"),
        name=seal_text(row.name, b"recipients.name"),
        profile=seal_profile(one.profile),
        evidence=_evidence_column.process_bind_param(salted, None) if salted else None,  # type: ignore[arg-type]
        evidence_digest=digest_evidence(salted) if salted else None,
    )
