"""The rows of `PUT /recipients`, and how they become the intake's rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from preferences.domain.address import parse_address
from preferences.domain.errors import InvalidAddress
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, Outcome, RowResult

from .choices import Evidence
from .types import ActText, BasisText, Moment, PurposeKey, Strict


class Profile(Strict):
    """What is known about a customer contact. A field that is left out stays as it is."""

    contact_person: str | None = None
    company_name: str | None = None
    company_form: str | None = None
    address: Annotated[str | None, Field(description="The postal address.")] = None
    telephone: str | None = None
    business_unit: str | None = None
    vat_number: str | None = None
    licence_number: str | None = None
    established_on: Annotated[str | None, Field(description="YYYY-MM-DD.")] = None
    username: str | None = None
    domain_holder: Annotated[str | None, Field(description="Domain-name holder details.")] = None


class EvidenceOfAct(Evidence):
    """An act made elsewhere and what backs it. Without evidence a recipient comes in without any consent."""

    purpose: PurposeKey
    act: ActText
    occurred_at: Annotated[
        Moment | None, Field(description="The person's own time. A stop without one counts from now.")
    ] = None
    basis: BasisText | None = None


class RecipientRow(Strict):
    """One recipient. Fields that are left out stay as they are; nothing is erased by absence."""

    email: Annotated[str, Field(max_length=1000, examples=["anna@example.se"])]
    external_id: Annotated[str | None, Field(description="Your own id for the person, at most 200 characters.")] = None
    locale: Annotated[str | None, Field(description="Such as `sv` or `en_GB`.")] = None
    name: Annotated[str | None, Field(description="At most 200 characters.")] = None
    profile: Annotated[Profile | None, Field(description="At most 1000 characters a field.")] = None
    evidence: EvidenceOfAct | None = None


class RecipientsPut(Strict):
    """Recipients to add or change."""

    recipients: Annotated[list[RecipientRow], Field(min_length=1)]


def read_rows(rows: Iterable[RecipientRow]) -> list[IncomingRecipient | RowResult]:
    """Each row as the intake takes it, or its result where the address cannot be used. Rows are numbered from 1."""
    found: list[IncomingRecipient | RowResult] = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(_incoming(number, row))
        except InvalidAddress as error:
            found.append(RowResult(number, Outcome.INVALID, reason=error.code, detail=error.detail))
    return found


def _incoming(number: int, row: RecipientRow) -> IncomingRecipient:
    return IncomingRecipient(
        line=number,
        address=parse_address(row.email),
        external_id=row.external_id,
        locale=row.locale,
        name=row.name,
        profile=row.profile.model_dump(exclude_none=True) if row.profile else {},
        evidence=_evidence(row.evidence) if row.evidence else None,
    )


def _evidence(evidence: EvidenceOfAct) -> IncomingEvidence:
    values = evidence.model_dump(exclude_none=True)
    return IncomingEvidence(**{**values, "occurred_at": evidence.occurred_at, "source": evidence.source or ""})
