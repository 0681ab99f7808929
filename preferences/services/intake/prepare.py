"""The part of an intake that needs no database: check, hash, encrypt. Done before the transaction, so that no lock is held.

A million rows pass here, so what repeats is worked out once: domains, and evidence that differs in its time only.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from preferences.domain.acts import STOPS
from preferences.domain.catalogue import Catalogue
from preferences.domain.errors import InvalidValue
from preferences.domain.intake import (
    CheckedAct,
    IncomingEvidence,
    IncomingRecipient,
    Outcome,
    RowResult,
    check_fields,
    check_incoming_evidence,
    check_incoming_time,
)
from preferences.models.crypto import keyring

MOST_REMEMBERED = 10_000
_VALUES_A_ROW = 5
canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
"""The JSON that encrypted columns and evidence digests are made of; the encoder is built once."""
_quote = json.encoder.encode_basestring


class Sealed(NamedTuple):
    """The encrypted values of a new recipient and of the evidence."""

    domain_index: bytes
    address: bytes
    external_id: bytes | None
    name: bytes | None
    profile: bytes | None
    evidence: bytes | None
    evidence_digest: bytes | None


class Prepared(NamedTuple):
    """One row, checked, with its indexes; once sealed, with everything it may store, encrypted."""

    line: int
    address_index: bytes
    external_index: bytes | None
    external_id: str | None
    name: str | None
    locale: str | None
    profile: dict[str, str]
    act: CheckedAct | None
    sealed: Sealed | None = None


Seal = Callable[[IncomingRecipient, Mapping[str, str], CheckedAct | None], Sealed]

Row = IncomingRecipient | RowResult
"""A row as it comes in. One that its reader could not use already has its result, and keeps it."""


def prepare_rows(rows: Iterable[Row], known: Catalogue, *, now: datetime) -> Iterator[Prepared | RowResult]:
    """Check each row and find its indexes; a row that cannot be used comes out as its result. Nothing is encrypted."""
    prepare = _preparer(known, now, source="", seal=None)
    return (row if isinstance(row, RowResult) else prepare(row) for row in rows)


def seal_rows(rows: Iterable[Row], known: Catalogue, *, source: str, now: datetime) -> list[Prepared | RowResult]:
    """The same, and encrypt what each row may come to store. `source` stands in where a stop names none."""
    given = list(rows)
    prepare = _preparer(known, now, source=source, seal=_sealer(len(given)))
    return [row if isinstance(row, RowResult) else prepare(row) for row in given]


def _preparer(
    known: Catalogue, now: datetime, *, source: str, seal: Seal | None
) -> Callable[[IncomingRecipient], Prepared | RowResult]:
    keys = keyring()
    address_index, external_index = keys.address_index, keys.external_index
    check = _evidence_checker(known, source, now)

    def prepare(row: IncomingRecipient) -> Prepared | RowResult:
        try:
            profile = check_fields(row)
            act = check(row.evidence) if row.evidence is not None else None
        except InvalidValue as error:
            return RowResult(row.line, Outcome.INVALID, reason=error.code, detail=error.detail)
        external_id = row.external_id
        return Prepared(
            row.line,
            address_index(row.address.normal),
            external_index(external_id) if external_id else None,
            external_id,
            row.name,
            row.locale,
            profile,
            act,
            None if seal is None else seal(row, profile, act),
        )

    return prepare


def _evidence_checker(known: Catalogue, source: str, now: datetime) -> Callable[[IncomingEvidence], CheckedAct]:
    """Checks evidence, the part that rows share only once."""
    remembered: dict[tuple[Any, ...], CheckedAct] = {}

    def check(evidence: IncomingEvidence) -> CheckedAct:
        shared = evidence.apart_from_time()
        found = remembered.get(shared)
        if found is None or evidence.occurred_at is None:
            if evidence.act in STOPS and not evidence.source.strip():
                evidence = evidence._replace(source=source)
            found = check_incoming_evidence(evidence, known, now)
            if len(remembered) < MOST_REMEMBERED:
                remembered[shared] = found
            return found
        return _at(found, check_incoming_time(evidence.occurred_at, evidence.act, now))

    return check


def _at(act: CheckedAct, occurred_at: datetime) -> CheckedAct:
    """The same act at another time."""
    return CheckedAct(act.purpose, act.path, act.act, act.basis, occurred_at, True, act.evidence)


def _sealer(rows: int) -> Seal:
    keys = keyring()
    encrypt = keys.encrypter(_VALUES_A_ROW * rows)
    around = _evidence_writer()
    domains: dict[str, bytes] = {}

    def seal(row: IncomingRecipient, profile: Mapping[str, str], act: CheckedAct | None) -> Sealed:
        domain = row.address.domain
        domain_index = domains.get(domain)
        if domain_index is None:
            domain_index = domains[domain] = keys.domain_index(domain)
        evidence = digest = None
        if act is not None and act.evidence:
            plain = around(act.evidence)
            evidence, digest = encrypt(plain, b"evidence.content"), sha256(plain).digest()
        return Sealed(
            domain_index,
            encrypt(row.address.original.encode(), b"recipients.address"),
            encrypt(row.external_id.encode(), b"recipients.external_id") if row.external_id else None,
            encrypt(row.name.encode(), b"recipients.name") if row.name else None,
            encrypt(write_profile(profile).encode(), b"recipients.profile") if profile else None,
            evidence,
            digest,
        )

    return seal


def _evidence_writer() -> Callable[[Mapping[str, Any]], bytes]:
    """Writes evidence with a fresh salt as `canonical` would; what rows share is written once and the salt put in."""
    halves: dict[int, tuple[Mapping[str, Any], bytes, bytes]] = {}

    def write(evidence: Mapping[str, Any]) -> bytes:
        known = halves.get(id(evidence))
        salt = secrets.token_hex(16)
        if known is None or known[0] is not evidence:
            before, _, after = canonical({**evidence, "salt": salt}).partition(salt)
            known = halves[id(evidence)] = (evidence, before.encode(), after.encode())
        return known[1] + salt.encode() + known[2]

    return write


def write_profile(profile: Mapping[str, str]) -> str:
    """A profile as `canonical` would write it, without building an encoder for each."""
    return "{" + ",".join([f'"{name}":{_quote(profile[name])}' for name in sorted(profile)]) + "}"


def seal_text(text: str, where: bytes) -> bytes:
    """A text as an EncryptedText column (`table.column`) stores it."""
    return keyring().encrypt(text.encode(), where)


def seal_profile(profile: Mapping[str, Any]) -> bytes | None:
    """A profile as its column stores it; None when it is empty."""
    return seal_text(canonical(profile), b"recipients.profile") if profile else None


def open_profile(stored: bytes | None) -> dict[str, Any]:
    """A stored profile; empty where there is none."""
    found: dict[str, Any] = json.loads(keyring().decrypt(stored, b"recipients.profile")) if stored else {}
    return found


def open_text(stored: bytes | None, where: bytes) -> str | None:
    """A stored text."""
    return None if stored is None else keyring().decrypt(stored, where).decode()
