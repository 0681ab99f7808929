"""Which purpose may rest on which lawful basis: one table (GDPR 6(1); L3, L15, L17).

Whatever is not in the table may rest on consent or on legitimate interest, as the company has weighed it. The customer
exception is a way around consent to mail, never a purpose's own basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from .errors import InvalidValue
from .photo import PHOTO_MARKETING
from .purpose import About, LawfulBasis

MARKETING = "marketing"


class BasisLaw(StrEnum):
    """Why only some bases will do."""

    ADVERTISING_MAIL = "advertising_mail"
    """Mail that advertises, to a natural person: consent, or the complete customer exception beside it (L15)."""
    ADVERTISING_PICTURE = "advertising_picture"
    """Name or image in advertising (L17)."""


@dataclass(frozen=True, slots=True)
class BasisRule:
    """One row. `key`: the built-in purpose; its topics follow it."""

    key: str
    allowed: frozenset[LawfulBasis]
    law: BasisLaw
    why: str


RULES = (
    BasisRule(
        MARKETING,
        frozenset({LawfulBasis.CONSENT}),
        BasisLaw.ADVERTISING_MAIL,
        "mail that advertises needs consent, or the customer exception beside it (MFL 19 §, ePrivacy 13)",
    ),
    BasisRule(
        PHOTO_MARKETING,
        frozenset({LawfulBasis.CONSENT}),
        BasisLaw.ADVERTISING_PICTURE,
        "name or image in advertising needs consent (lag 1978:800, 1 §)",
    ),
)
ANY = frozenset({LawfulBasis.CONSENT, LawfulBasis.LEGITIMATE_INTEREST})


class BasisNotAllowed(InvalidValue):
    """The law names the basis for this purpose, and it is another. `law` says which law."""

    code: ClassVar[str] = "basis_not_allowed"
    title: ClassVar[str] = "The purpose cannot rest on this basis"

    def __init__(self, key: str, rule: BasisRule) -> None:
        which = " or ".join(sorted(rule.allowed))
        super().__init__(f"{key!r} can rest on {which} alone: {rule.why}.", pointer="/lawful_basis")
        self.law = rule.law


def rule_of(key: str, parent_key: str | None) -> BasisRule | None:
    """The row for a purpose or topic."""
    return next((one for one in RULES if one.key in {key, parent_key}), None)


def check_basis(
    key: str, parent_key: str | None, about: About, basis: LawfulBasis, *, customer_exception: bool
) -> None:
    """Raises InvalidValue with a pointer where the purpose cannot rest on this; BasisNotAllowed where a law says so."""
    if customer_exception and basis is not LawfulBasis.CONSENT:
        raise InvalidValue("The customer exception stands in for consent alone.", pointer="/customer_exception")
    if customer_exception and about is not About.MAIL:
        raise InvalidValue("The customer exception is about mail (MFL 19 §).", pointer="/customer_exception")
    if basis not in ANY:
        raise InvalidValue(
            "The customer exception is a way around consent, not a purpose's own basis.", pointer="/lawful_basis"
        )
    rule = rule_of(key, parent_key)
    if rule is not None and basis not in rule.allowed:
        raise BasisNotAllowed(key, rule)
