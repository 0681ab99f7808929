"""From cells to incoming recipients: mapping, guesses, evidence, times. Nothing about consent is ever guessed."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from preferences.domain.acts import Act
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, RowResult
from preferences.domain.purpose import LawfulBasis
from preferences.integrations.csv_files import NotCsv
from preferences.integrations.csv_mapping import InvalidMapping, Reading, choose_reading
from preferences.integrations.csv_rows import read_rows


def reading_of(text: str, mapping: dict[str, Any] | None = None) -> Reading:
    given = None if mapping is None else json.dumps(mapping)
    return choose_reading(io.BytesIO(text.encode()), given, time_zone="Europe/Stockholm")


def rows_of(text: str, mapping: dict[str, Any] | None = None) -> list[IncomingRecipient | RowResult]:
    kept = json.loads(json.dumps(reading_of(text, mapping).as_json()))
    return list(read_rows(io.BytesIO(text.encode()), kept))


def one(text: str, mapping: dict[str, Any] | None = None) -> IncomingRecipient:
    [row] = rows_of(text, mapping)
    assert isinstance(row, IncomingRecipient), row
    return row


def evidence(text: str, mapping: dict[str, Any] | None = None) -> IncomingEvidence:
    found = one(text, mapping).evidence
    assert found is not None
    return found


def problem(text: str, mapping: dict[str, Any] | None = None) -> str:
    [row] = rows_of(text, mapping)
    assert isinstance(row, RowResult), row
    return row.detail or ""


def test_swedish_and_english_headers_are_guessed_whatever_their_case_and_spacing() -> None:
    reading = reading_of(" E-Post ;NAMN;Företag; kund_nr ;Telefon;Lösenord;x\n;;;;;;\n")
    assert reading.columns == {"email": 0, "name": 1, "company_name": 2, "external_id": 3, "telephone": 4}
    assert reading.unused == ["Lösenord", "x"]


def test_consent_columns_are_taken_under_their_own_names_only() -> None:
    row = one("E-post,Samtycke,Datum\na@b.se,ja,2024-05-01\n")
    assert row.evidence is None


def test_a_row_becomes_a_recipient_with_trimmed_cells_and_known_fields() -> None:
    row = one("email,name,company,språk,id\n a@b.se , Anna ,A AB,SV-se,17\n")
    assert (row.line, row.address.original, row.name, row.locale, row.external_id) == (
        2,
        "a@b.se",
        "Anna",
        "sv_SE",
        "17",
    )
    assert row.profile == {"company_name": "A AB"}


def test_emoji_idn_and_the_longest_address_are_read() -> None:
    longest = f"{'a' * 64}@{'b' * 62}.{'c' * 62}.{'d' * 60}.se"
    assert len(longest) == 254
    assert one(f"email,name\n{longest},🙂\n").name == "🙂"
    assert one("email,name\nåsa@räksmörgås.se,Å\n").address.domain == "xn--rksmrgs-5wao1o.se"
    assert "254" in problem(f"email,name\na{longest},x\n")


def test_empty_rows_are_passed_over_and_ragged_ones_are_invalid_with_their_line() -> None:
    rows = rows_of("email,name\n,\na@b.se\na@b.se,A,B\na@b.se,A,,\n\nb@b.se,B\n")
    assert [(type(row).__name__, row.line) for row in rows] == [
        ("RowResult", 3),
        ("RowResult", 4),
        ("IncomingRecipient", 5),
        ("IncomingRecipient", 7),
    ]


def test_evidence_is_read_from_columns_constants_and_translated_values() -> None:
    mapping = {
        "columns": {"E-post": "email", "Samtycke": "act", "#3": "occurred_at"},
        "constants": {"purpose": "marketing", "source": "mässan 2024"},
        "values": {"act": {"Ja": "given", "nej": "refused"}},
    }
    found = evidence("E-post,Samtycke,Datum\na@b.se,JA,2024-05-01T10:00\n", mapping)
    assert (found.act, found.purpose, found.source) == (Act.GIVEN, "marketing", "mässan 2024")
    assert found.occurred_at == datetime(2024, 5, 1, 8, 0, tzinfo=UTC), "Swedish summer time"


CONSTANT = {"columns": {"e": "email", "when": "occurred_at"}, "constants": {"purpose": "marketing", "source": "s"}}


def test_a_row_whose_evidence_columns_are_empty_brings_no_consent() -> None:
    mapping = {**CONSTANT, "constants": {**CONSTANT["constants"], "act": "given"}}
    assert one("e,when\na@b.se,\n", mapping).evidence is None


def test_a_stop_counts_even_where_its_columns_are_empty() -> None:
    mapping = {**CONSTANT, "constants": {**CONSTANT["constants"], "act": "withdrawn"}}
    found = evidence("e,when\na@b.se,\n", mapping)
    assert (found.act, found.occurred_at) == (Act.WITHDRAWN, None)


def test_evidence_without_an_act_or_a_purpose_is_invalid() -> None:
    assert "act is missing" in problem("email,purpose\na@b.se,marketing\n")
    assert "purpose is missing" in problem("email,act\na@b.se,withdrawn\n")
    assert "no act" in problem("email,purpose,act\na@b.se,marketing,yes\n")
    assert "no basis" in problem("email,purpose,act,basis\na@b.se,marketing,given,contract\n")


def test_the_customer_exception_is_read_with_its_evidence() -> None:
    found = evidence(
        "email,purpose,act,basis,sale_reference,similar_product,opt_out_offered\n"
        "a@b.se,marketing,given,soft_opt_in,order 17,Ja,nej\n"
    )
    assert found.basis is LawfulBasis.SOFT_OPT_IN
    assert (found.sale_reference, found.similar_product, found.opt_out_offered) == ("order 17", True, None)


@pytest.mark.parametrize(
    ("text", "act", "moment"),
    [
        ("2024-05-01T10:00:00Z", "given", datetime(2024, 5, 1, 10, 0, tzinfo=UTC)),
        ("2024-05-01 10:00:00+02:00", "given", datetime(2024, 5, 1, 8, 0, tzinfo=UTC)),
        ("2024-01-01 10:00", "given", datetime(2024, 1, 1, 9, 0, tzinfo=UTC)),
        ("1.5.2024 9:30", "given", datetime(2024, 5, 1, 7, 30, tzinfo=UTC)),
        ("20240501", "given", datetime(2024, 4, 30, 22, 0, tzinfo=UTC)),
        ("2024-05-01", "given", datetime(2024, 4, 30, 22, 0, tzinfo=UTC)),
        ("2024-05-01", "withdrawn", datetime(2024, 5, 1, 21, 59, 59, 999999, tzinfo=UTC)),
        ("01.05.2024", "withdrawn", datetime(2024, 5, 1, 21, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_the_named_zone_and_a_bare_day_favours_the_stop(
    text: str, act: str, moment: datetime
) -> None:
    assert evidence(f"email,purpose,act,occurred_at\na@b.se,marketing,{act},{text}\n").occurred_at == moment


@pytest.mark.parametrize(
    "text", ["yesterday", "01/05/2024", "2024-13-01", "45413", "31.2.2024", "9999-12-31T23:59-12:00"]
)
def test_a_time_that_could_mean_two_things_or_nothing_is_invalid(text: str) -> None:
    assert "occurred_at is not a time" in problem(f"email,purpose,act,occurred_at\na@b.se,marketing,given,{text}\n")


def test_a_named_date_format_says_what_a_slash_means() -> None:
    text = "email,purpose,act,occurred_at\na@b.se,marketing,given,05/01/2024\n"
    columns = {name: name for name in ("email", "purpose", "act", "occurred_at")}
    mapping = {"columns": columns, "date_format": "%m/%d/%Y", "time_zone": "UTC"}
    assert evidence(text, mapping).occurred_at == datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("{", "not JSON"),
        ("[]", "A mapping is an object"),
        ('{"colums": {}}', "colums"),
        ('{"columns": {"e": 1}}', "text to text"),
        ('{"columns": {"nope": "email"}}', "no column 'nope'"),
        ('{"columns": {"e": "password"}}', "no field 'password'"),
        ('{"columns": {"#9": "email"}}', "no column '#9'"),
        ('{"columns": {"d": "name", "e": "email"}}', "Several columns"),
        ('{"columns": {"e": "email", "#2": "email"}}', "Two columns"),
        ('{"columns": {"#2": "name"}}', "No column is mapped to email"),
        ('{"columns": {"e": "email"}, "constants": {"email": "a@b.se"}}', "both a column and a constant"),
        ('{"columns": {"e": "email"}, "time_zone": "Mars/Olympus"}', "no time zone"),
        ('{"columns": {"e": "email"}, "time_zone": 1}', "time_zone is a text"),
        ('{"columns": {"e": "email"}, "date_format": "%Q"}', "date_format"),
        ('{"columns": {"e": "email"}, "values": []}', "values is an object"),
        ('{"columns": {"e": "email"}, "values": {"act": {"ja": 1}}}', "text to text"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_and_named(mapping: str, says: str) -> None:
    with pytest.raises(InvalidMapping) as refused:
        choose_reading(io.BytesIO(b"e,d,d\na@b.se,1,2\n"), mapping, time_zone="UTC")
    assert says in refused.value.detail


def test_duplicate_headers_are_fine_where_they_are_not_read() -> None:
    assert reading_of("email,x,x\na@b.se,1,2\n").unused == ["x", "x"]


def test_a_file_without_headers_or_with_too_many_is_refused() -> None:
    with pytest.raises(NotCsv, match="where headers should be"):
        reading_of("a@b.se,Anna\nb@b.se,Bo\n")
    with pytest.raises(NotCsv, match="600 columns"):
        reading_of(",".join(["x"] * 600))
    with pytest.raises(InvalidMapping, match="No column is mapped to email"):
        reading_of("namn,företag\nAnna,A\n")


def test_a_file_with_headers_only_has_no_rows() -> None:
    assert rows_of("email,name\n") == []


def test_nul_and_control_characters_in_an_address_are_invalid() -> None:
    assert "control character" in problem("email,name\na\x00@b.se,A\n")
    assert "control character" in problem('email,name\n"a@b.se\nc@d.se",A\n')
