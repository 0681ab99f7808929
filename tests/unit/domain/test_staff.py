"""Passwords and recovery codes of staff."""

from __future__ import annotations

import pytest

from preferences.domain.staff import (
    PasswordProblem,
    new_recovery_codes,
    normal_password,
    password_problem,
    read_recovery_code,
)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("åtta gröna kullar vid sjön", None),
        ("correct horse battery", None),
        ("elva tecken", PasswordProblem.TOO_SHORT),
        ("", PasswordProblem.TOO_SHORT),
        ("x" * 257, PasswordProblem.TOO_LONG),
        ("abababababab", PasswordProblem.TOO_PLAIN),
        ("Password123456", PasswordProblem.TOO_PLAIN),
        ("Välkommen2026", PasswordProblem.TOO_PLAIN),
        ("abcdefghijklmnop", PasswordProblem.TOO_PLAIN),
        ("min katt Stina sover", PasswordProblem.PERSONAL),
    ],
)
def test_password_is_judged_by_length_and_how_easily_it_is_guessed(
    password: str, problem: PasswordProblem | None
) -> None:
    assert password_problem(password, about=("stina", "Berg", "AB")) is problem


def test_password_is_the_same_on_every_keyboard() -> None:
    assert normal_password("a\u030a") == normal_password("å")


def test_recovery_codes_are_ten_and_read_in_any_writing() -> None:
    codes = new_recovery_codes().codes
    assert len(set(codes)) == 10
    assert all(len(read_recovery_code(code)) == 16 for code in codes)
    assert read_recovery_code(" o0il-1abc ") == "00111ABC"
    assert read_recovery_code("x" * 10_000) == "X" * 100
    assert read_recovery_code("åäö…") == ""
