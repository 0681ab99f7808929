"""Which acts fit which purpose, and when evidence is complete (GDPR 6, 7, 21; MFL 19 §; L1, L3, L12, L15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .acts import Act
from .errors import ActNotPossible, InvalidValue
from .purpose import About, LawfulBasis, Purpose
from .text import is_storable

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future a person's own time may lie before it is an error: it decides which act is newest (T28)."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Nobody answered anything by email before; an earlier time is a mistake in somebody's data."""

SOFT_OPT_IN_EVIDENCE = ("sale_reference", "similar_product", "opt_out_offered")
"""All three or there is no customer exception (L15)."""

EVIDENCE_FIELDS = frozenset({"source", "wording", *SOFT_OPT_IN_EVIDENCE})
MAX_EVIDENCE_CHARACTERS = 5000

_FITTING: dict[LawfulBasis, frozenset[Act]] = {
    LawfulBasis.CONSENT: frozenset(Act),
    LawfulBasis.SOFT_OPT_IN: frozenset(Act),
    LawfulBasis.LEGITIMATE_INTEREST: frozenset(
        {Act.OBJECTED, Act.OBJECTION_LIFTED, Act.PAUSED, Act.RESUMED, Act.REVOKED}
    ),
}


def check_act(purpose: Purpose, act: Act, basis: LawfulBasis | None, evidence: Mapping[str, Any]) -> LawfulBasis | None:
    """The basis that the act gives or ends. Raises ActNotPossible when act, purpose and evidence do not fit together."""
    if purpose.about is About.EVERYTHING:
        if act not in {Act.OBJECTED, Act.OBJECTION_LIFTED}:
            raise ActNotPossible("Only `objected` and `objection_lifted` fit a global stop.", pointer="/act")
        return None
    if act not in _FITTING[purpose.lawful_basis]:
        raise ActNotPossible(
            f"`{act}` does not fit {purpose.key}, which rests on {purpose.lawful_basis}: use `objected`.",
            pointer="/act",
        )
    if act is not Act.GIVEN:
        return basis or purpose.lawful_basis
    if basis is LawfulBasis.LEGITIMATE_INTEREST:
        raise ActNotPossible("Legitimate interest is not given by anybody.", pointer="/basis")
    if basis is LawfulBasis.SOFT_OPT_IN:
        _check_customer_exception(purpose, evidence)
        return basis
    return LawfulBasis.CONSENT


def _check_customer_exception(purpose: Purpose, evidence: Mapping[str, Any]) -> None:
    if not purpose.customer_exception:
        raise ActNotPossible(f"{purpose.key} does not accept the customer exception.", pointer="/basis")
    for field in SOFT_OPT_IN_EVIDENCE:
        if not evidence.get(field):
            raise ActNotPossible(
                f"The customer exception needs `{field}`: a sale, a similar product, and an opt-out offered then.",
                pointer=f"/evidence/{field}",
            )


def check_evidence(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence with known fields only, bounded. Raises InvalidValue."""
    clean: dict[str, Any] = {}
    for field, value in evidence.items():
        if field not in EVIDENCE_FIELDS:
            raise InvalidValue(f"There is no evidence field named {field[:40]!r}.", pointer=f"/evidence/{field[:40]}")
        if isinstance(value, str):
            if len(value) > MAX_EVIDENCE_CHARACTERS or not is_storable(value):
                raise InvalidValue(
                    f"{field} is too long, or holds NUL or broken Unicode.", pointer=f"/evidence/{field}"
                )
            value = value.strip()
        elif not isinstance(value, bool):
            raise InvalidValue(f"{field} must be text or true/false.", pointer=f"/evidence/{field}")
        if value:
            clean[field] = value
    return clean


def check_occurred_at(occurred_at: datetime, now: datetime) -> datetime:
    """The person's own time, aware and not in the future; a little clock skew is cut to `now`. Raises InvalidValue."""
    if occurred_at.utcoffset() is None:
        raise InvalidValue("occurred_at needs a time zone.", pointer="/occurred_at")
    if occurred_at > now + CLOCK_SKEW:
        raise InvalidValue("occurred_at lies in the future.", pointer="/occurred_at")
    if occurred_at < EARLIEST:
        raise InvalidValue("occurred_at lies before 1990.", pointer="/occurred_at")
    return min(occurred_at, now)


def check_pause(act: Act, paused_until: datetime | None) -> datetime | None:
    """The end of a pause: required and aware with `paused`, absent with every other act. Raises InvalidValue."""
    if act is not Act.PAUSED:
        if paused_until is not None:
            raise InvalidValue("Only `paused` has an end.", pointer="/paused_until")
        return None
    if paused_until is None or paused_until.utcoffset() is None:
        raise InvalidValue("A pause needs an end, with its time zone.", pointer="/paused_until")
    return paused_until
