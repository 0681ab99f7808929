"""What browsers are asked about passkeys, and their answers read (WebAuthn §5.1, §7). A library checks; nothing is stored.

Every answer is hostile until it is verified. Whatever the library raises while it reads one means that it is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from preferences.domain.passkeys import CHALLENGE_LASTS, MOST_ANSWER, RelyingParty

_TIMEOUT = int(CHALLENGE_LASTS.total_seconds() * 1000)
_TRANSPORTS = {one.value for one in AuthenticatorTransport}
LARGEST_COUNT = 2**32 - 1
MOST_KEY = 4096


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A passkey by which a browser finds it again."""

    credential_id: bytes
    transports: str


@dataclass(frozen=True, slots=True, repr=False)
class Owner:
    """For whom a passkey is made, as the authenticator shows them. `handle` tells nothing about them."""

    handle: bytes
    address: str
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class NewKey:
    """A passkey that was just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: str


@dataclass(frozen=True, slots=True, repr=False)
class Claim:
    """An answer that can be read. Nothing of it is verified yet."""

    credential_id: bytes
    challenge: bytes
    handle: bytes | None
    answer: AuthenticationCredential


@dataclass(frozen=True, slots=True, repr=False)
class NewClaim:
    """A new passkey that can be read. Nothing of it is verified yet."""

    challenge: bytes
    answer: RegistrationCredential


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer was signed with the passkey. `is_verified`: the person proved themselves to it (PIN, finger, face)."""

    sign_count: int
    is_verified: bool


def creation_options(party: RelyingParty, owner: Owner, known: Sequence[KnownKey], challenge: bytes) -> str:
    """JSON for `navigator.credentials.create`. Nothing is asked about the make of the authenticator."""
    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=owner.handle,
            user_name=owner.address,
            user_display_name=owner.name,
            challenge=challenge,
            timeout=_TIMEOUT,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def request_options(party: RelyingParty, known: Sequence[KnownKey], challenge: bytes) -> str:
    """JSON for `navigator.credentials.get` with one of these passkeys, after the password."""
    return _request(party, known, challenge, UserVerificationRequirement.PREFERRED)


def strict_request_options(party: RelyingParty, known: Sequence[KnownKey], challenge: bytes) -> str:
    """The same where the passkey stands alone: it must verify the person. Without `known` it says itself who they are."""
    return _request(party, known, challenge, UserVerificationRequirement.REQUIRED)


def read_new(answer: str) -> NewClaim | None:
    """Read a browser's answer about a new passkey; None for anything else."""
    if len(answer) > MOST_ANSWER:
        return None
    try:
        found = parse_registration_credential_json(answer)
        return NewClaim(parse_client_data_json(found.response.client_data_json).challenge, found)
    except Exception:
        return None


def verify_new(claim: NewClaim, party: RelyingParty) -> NewKey | None:
    """The new passkey, when it was made for us, on our pages, by somebody present; else None."""
    try:
        found = verify_registration_response(
            credential=claim.answer,
            expected_challenge=claim.challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
        is_framed = parse_client_data_json(claim.answer.response.client_data_json).cross_origin
    except Exception:
        return None
    known = [one.value for one in claim.answer.response.transports or [] if one.value in _TRANSPORTS]
    transports = " ".join(dict.fromkeys(known))[:100]
    if is_framed or found.sign_count > LARGEST_COUNT or len(found.credential_public_key) > MOST_KEY:
        return None
    return NewKey(found.credential_id, found.credential_public_key, found.sign_count, transports)


def read_claim(answer: str) -> Claim | None:
    """Read a browser's answer with a passkey; None for anything else."""
    if len(answer) > MOST_ANSWER:
        return None
    try:
        found = parse_authentication_credential_json(answer)
        challenge = parse_client_data_json(found.response.client_data_json).challenge
        return Claim(found.raw_id, challenge, found.response.user_handle, found)
    except Exception:
        return None


def verify_claim(claim: Claim, party: RelyingParty, public_key: bytes) -> Proof | None:
    """The proof, when the answer was signed with this key, for us and on our pages; else None.

    The count of signatures is the caller's to judge: the library would look at it before the signature, and a forged count is
    no copied passkey.
    """
    try:
        found = verify_authentication_response(
            credential=claim.answer,
            expected_challenge=claim.challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
        )
        is_framed = parse_client_data_json(claim.answer.response.client_data_json).cross_origin
    except Exception:
        return None
    return None if is_framed else Proof(found.new_sign_count, found.user_verified)


def _request(
    party: RelyingParty, known: Sequence[KnownKey], challenge: bytes, verification: UserVerificationRequirement
) -> str:
    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=_TIMEOUT,
            allow_credentials=_descriptors(known) or None,
            user_verification=verification,
        )
    )


def _descriptors(known: Sequence[KnownKey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id,
            transports=[AuthenticatorTransport(name) for name in one.transports.split() if name in _TRANSPORTS] or None,
        )
        for one in known
    ]
