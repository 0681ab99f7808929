"""The identity provider: its documents, its answers, and what is taken from whom it vouches for."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jws

from preferences.domain.single_sign_on import (
    Errand,
    Round,
    SignOnRefused,
    WhyNot,
)
from preferences.integrations.oidc import documents
from preferences.integrations.oidc.provider import Provider, new_round
from tests.support.identity_provider import FakeProvider, key, signed

from .support import RETURN, go_round, rules_of, why_not

NOW = int(datetime.now(UTC).timestamp())
BAD = WhyNot.BAD_TOKEN


@pytest.mark.parametrize("signing", ["first", "ec-second"])
def test_whoever_is_vouched_for_is_known_by_issuer_and_subject(fake: FakeProvider, signing: str) -> None:
    fake.signing = signing
    fake.person |= {"groups": ["staff", 7], "amr": ["pwd", "otp"], "acr": "gold"}
    found = go_round(fake)
    assert (found.issuer, found.subject, found.address) == (fake.issuer, "248289761001", "stina@example.se")
    assert (found.is_verified, found.name, found.context) == (True, "Stina Berg", "gold")
    assert (found.groups, found.methods) == (frozenset({"staff"}), frozenset({"pwd", "otp"}))
    assert "248289761001" not in repr(found)


def test_documents_are_fetched_once_and_the_secret_goes_where_the_provider_takes_it(fake: FakeProvider) -> None:
    fake.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post", "private_key_jwt"]
    provider = Provider(rules_of(fake), return_url=RETURN)
    for _ in range(3):
        go_round(fake, provider=provider)
    assert [path for path in fake.asked if path != "/token"] == [
        "/realms/staff/.well-known/openid-configuration",
        "/keys",
    ]


def test_new_key_is_fetched_once_and_made_up_ones_do_not_make_us_ask_again_and_again(fake: FakeProvider) -> None:
    provider = Provider(rules_of(fake), return_url=RETURN)
    go_round(fake, provider=provider)
    fake.published, fake.signing = ["third"], "third"
    assert go_round(fake, provider=provider).subject
    fake.forge = lambda claims: signed(claims, key("ec-unknown"))
    for _ in range(3):
        assert why_not(fake, provider=provider) == (BAD, "unknown_key")
    assert fake.asked.count("/keys") == 2
    now = datetime.now(UTC)
    later = provider.documents(now=now + timedelta(hours=2))
    assert fake.asked.count("/keys") == 3
    assert later.fetched_at > now


HUGE = b'{"issuer": "' + b"x" * (documents.MOST_BYTES + 10) + b'"}'
DISCOVERY = "/realms/staff/.well-known/openid-configuration"
BROKEN = [
    (DISCOVERY, (200, HUGE), WhyNot.UNREACHABLE),
    (DISCOVERY, (200, b"[" * 100_000), WhyNot.UNUSABLE),
    (DISCOVERY, (200, b"<html>"), WhyNot.UNUSABLE),
    (DISCOVERY, (200, b"[]"), WhyNot.UNUSABLE),
    (DISCOVERY, (200, b"\xff\xfe{"), WhyNot.UNUSABLE),
    (DISCOVERY, (404, b"{}"), WhyNot.UNUSABLE),
    (DISCOVERY, (302, b"{}"), WhyNot.UNUSABLE),
    (DISCOVERY, (503, b"{}"), WhyNot.UNREACHABLE),
    ("/keys", (200, b'{"keys": []}'), WhyNot.UNUSABLE),
    ("/keys", (200, b'{"keys": {}}'), WhyNot.UNUSABLE),
    ("/keys", (200, b'{"keys": [1, {"kty": 7}, {"kty": "RSA", "kid": "first", "n": "!", "e": ""}]}'), BAD),
    ("/token", (400, b'{"error": "invalid_grant"}'), WhyNot.CODE_REFUSED),
    ("/token", (200, b'{"access_token": "access"}'), BAD),
    ("/token", (200, b'{"id_token": 7}'), BAD),
    ("/token", (500, b""), WhyNot.CODE_REFUSED),
]


@pytest.mark.parametrize(("path", "answer", "why"), BROKEN)
def test_broken_provider_is_a_reason_and_never_an_exception_of_another_kind(
    fake: FakeProvider, path: str, answer: tuple[int, bytes], why: WhyNot
) -> None:
    fake.instead[path] = answer
    assert why_not(fake)[0] is why


def test_discovery_of_another_issuer_and_doors_that_lead_inside_are_refused(fake: FakeProvider) -> None:
    fake.discovery["issuer"] += "/"
    assert why_not(fake) == (WhyNot.UNUSABLE, "discovery_of_another_issuer")
    for inside in (
        "http://169.254.169.254/latest",
        "https://10.0.0.1/token",
        "file:///etc/passwd",
        7,
        None,
        "javascript:x",
    ):
        fake.fresh().discovery["token_endpoint"] = inside
        assert why_not(fake) == (WhyNot.UNUSABLE, "discovery_token_endpoint")


def test_provider_that_drips_is_cut_off_and_then_left_alone_for_a_while(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "SECONDS", 0.1)
    monkeypatch.setattr(documents, "MOST_BYTES", 10**9)
    fake.instead[DISCOVERY] = (200, b"slow" + b" " * 65_536 * 8)
    provider, now = Provider(rules_of(fake), return_url=RETURN), datetime.now(UTC)
    for _ in range(3):
        with pytest.raises(SignOnRefused) as refused:
            provider.documents(now=now)
        assert (refused.value.why, refused.value.detail) == (WhyNot.UNREACHABLE, "timed_out")
    assert fake.asked == [DISCOVERY]
    fake.instead.clear()
    assert provider.documents(now=now + timedelta(seconds=11)).keys


def test_answer_of_another_provider_is_refused(fake: FakeProvider) -> None:
    """RFC 9207: whoever names another is refused; whoever is silent, where this one always names itself, too."""
    provider, now = Provider(rules_of(fake), return_url=RETURN), datetime.now(UTC)
    provider.check_answerer(None, now=now)
    provider.check_answerer(fake.issuer, now=now)
    with pytest.raises(SignOnRefused, match="another_issuer"):
        provider.check_answerer("https://evil.example", now=now)
    fake.discovery["authorization_response_iss_parameter_supported"] = True
    provider = Provider(rules_of(fake), return_url=RETURN)
    with pytest.raises(SignOnRefused, match="another_issuer"):
        provider.check_answerer(None, now=now)


def test_what_the_token_leaves_out_is_asked_for_and_address_and_proof_come_from_one_place(fake: FakeProvider) -> None:
    fake.person |= {"email_verified": None}
    fake.userinfo = {"email": "other@example.se", "email_verified": True, "groups": ["a"]}
    found = go_round(fake, roles={"a": "viewer"})
    assert (found.address, found.is_verified, found.groups) == ("other@example.se", True, frozenset({"a"}))
    fake.userinfo = {"email_verified": True}
    found = go_round(fake)
    assert (found.address, found.is_verified) == ("stina@example.se", False)
    fake.userinfo = {"sub": "somebody-else", "email": "eva@example.se", "email_verified": True}
    assert why_not(fake) == (BAD, "userinfo_of_another")


def test_standard_proof_of_an_address_is_true_and_nothing_else_a_claim_named_by_the_operator_may_be_text(
    fake: FakeProvider,
) -> None:
    provider = Provider(rules_of(fake), return_url=RETURN)
    lax = Provider(rules_of(fake, verified_claim="xms_edov"), return_url=RETURN)
    for said in (True, 1, 1.0, "1", "true", "false", "True", False, 0, [], [True], {"true": True}):
        fake.person |= {"email_verified": said, "xms_edov": said}
        assert go_round(fake, provider=provider).is_verified is (said is True), said
        is_yes = said is True or said in (1, "1", "true")
        assert go_round(fake, provider=lax).is_verified is is_yes, said


def test_how_and_when_somebody_signed_in_is_believed_of_the_signed_token_alone(fake: FakeProvider) -> None:
    fake.person |= {"email_verified": None}
    fake.userinfo = {
        "email": "stina@example.se",
        "email_verified": True,
        "amr": ["mfa"],
        "acr": "gold",
        "auth_time": NOW + 30,
    }
    assert go_round(fake).is_verified
    assert why_not(fake, required_methods=frozenset({"mfa"})) == (WhyNot.TOO_WEAK, "amr")
    assert why_not(fake, required_contexts=("gold",)) == (WhyNot.TOO_WEAK, "acr")
    assert why_not(fake, errand=Errand.CONFIRM) == (WhyNot.NOT_AGAIN, "auth_time")


def test_odd_kinds_and_half_characters_in_what_a_provider_says_are_reasons_too(fake: FakeProvider) -> None:
    fake.discovery["token_endpoint_auth_methods_supported"] = 5
    assert go_round(fake).subject
    for claim, what in (("sub", "subject"), ("nonce", "nonce"), ("at_hash", "access_token")):
        fake.fresh().person |= {claim: "\ud800"}
        fake.forge = lambda claims: jws.serialize_compact(
            {"alg": "RS256", "kid": "first"}, json.dumps(claims), key("first"), algorithms=["RS256"]
        )
        assert why_not(fake) == (BAD, what)
    for header, what in (({"alg": ["RS256"]}, "algorithm"), ({"alg": {}, "kid": "first"}, "algorithm")):
        start = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        fake.fresh().forge = lambda _, start=start: f"{start}.e30.AA"
        assert why_not(fake) == (BAD, what)
    fake.fresh().instead["/keys"] = (200, b'{"keys": [{"kty": "RSA", "kid": ["first"], "n": "AQAB", "e": "AQAB"}]}')
    assert why_not(fake) == (BAD, "unknown_key")


def test_groups_and_proof_can_stand_under_other_names(fake: FakeProvider) -> None:
    fake.person |= {"email_verified": None, "xms_edov": True, "realm_access": {"roles": "desk"}}
    found = go_round(fake, verified_claim="xms_edov", groups_claim="realm_access.roles", roles={"desk": "viewer"})
    assert (found.is_verified, found.groups) == (True, frozenset({"desk"}))


def test_way_of_signing_in_can_be_required(fake: FakeProvider) -> None:
    assert why_not(fake, required_methods=frozenset({"mfa"})) == (WhyNot.TOO_WEAK, "amr")
    assert why_not(fake, required_contexts=("gold",)) == (WhyNot.TOO_WEAK, "acr")
    fake.person |= {"amr": ["pwd", "mfa"], "acr": "gold"}
    assert go_round(fake, required_methods=frozenset({"mfa", "hwk"}), required_contexts=("gold",))


def test_proving_it_again_counts_only_when_it_was_done_after_it_was_asked_for(fake: FakeProvider) -> None:
    for proved_at in (None, NOW - 3600, "now", True, 10**20):
        fake.person |= {"auth_time": proved_at}
        assert why_not(fake, errand=Errand.CONFIRM) == (WhyNot.NOT_AGAIN, "auth_time"), proved_at
    fake.person |= {"auth_time": int(datetime.now(UTC).timestamp())}
    assert go_round(fake, Errand.CONFIRM)


def test_way_there_asks_for_what_the_errand_needs_and_tells_no_secret(fake: FakeProvider) -> None:
    fake.discovery["authorization_endpoint"] += "?tenant=7"
    provider, now = Provider(rules_of(fake, required_contexts=("gold",)), return_url=RETURN), datetime.now(UTC)
    begun: Round = new_round(Errand.CONFIRM, "/admin", now=now)
    way = provider.way_there(begun, locale="sv", now=now)
    assert "/authorize?tenant=7&response_type=code&" in way
    assert "&prompt=login&max_age=0" in way
    assert "&acr_values=gold" in way
    assert begun.verifier not in way
    assert "secret" not in way.lower()
    assert "prompt" not in provider.way_there(new_round(Errand.SIGN_IN, "/admin", now=now), locale="sv", now=now)
