"""What the bulk path writes faster is, byte for byte, what the ordinary path writes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.profile import PROFILE_FIELDS
from preferences.services.choices.consent import digest_evidence
from preferences.services.intake.prepare import _evidence_writer, canonical, write_profile

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
EVIDENCE = st.dictionaries(
    st.sampled_from(["source", "wording", "sale_reference", "opt_out_offered"]), TEXT | st.just(True)
)


@given(st.dictionaries(st.sampled_from(PROFILE_FIELDS), TEXT))
def test_a_profile_is_written_as_its_column_writes_it(profile: dict[str, str]) -> None:
    assert write_profile(profile) == json.dumps(profile, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@given(st.lists(EVIDENCE, min_size=1, max_size=5))
def test_evidence_is_written_canonically_with_a_salt_of_its_own(several: list[dict[str, Any]]) -> None:
    write = _evidence_writer()
    salts = set()
    for evidence in [*several, *several]:
        plain = write(evidence)
        back = json.loads(plain)
        assert canonical(back).encode() == plain, "the digest of the bytes is the digest of the evidence"
        assert digest_evidence(back).hex()
        salts.add(back.pop("salt"))
        assert back == evidence
    assert len(salts) == 2 * len(several)
