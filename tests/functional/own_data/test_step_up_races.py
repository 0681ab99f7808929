"""Two at once: a request opens one session, wrong codes are all counted, the limit holds."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.outbox import OutboxJobRow
from preferences.models.step_up import StepUpRow
from preferences.models.transaction import transaction
from preferences.services.recipients.step_up import Opened, ask_step_up, open_by_code
from tests.factories import make_recipient
from tests.support.at_once import times
from tests.support.step_up import ask, browser

TIMES = 8


def test_one_link_opens_one_session(app: Flask, session: Session) -> None:
    mail = ask(app, make_recipient(session))

    def press(_number: int) -> int:
        return browser(app).post(mail.path, data={"open": "1"}).status_code

    assert sorted(times(app, TIMES, press), key=str) == [200] * (TIMES - 1) + [303]


def test_link_and_code_together_open_one_session(app: Flask, session: Session) -> None:
    mail = ask(app, make_recipient(session))

    def open_it(number: int) -> bool:
        code = {"path": f"/s/{mail.asked_from}/code", "data": {"code": mail.code}}
        button = {"path": mail.path, "data": {"open": "1"}}
        return "Set-Cookie" in browser(app).post(**(code if number % 2 else button)).headers

    assert sum(map(bool, times(app, TIMES, open_it))) == 1


def test_no_more_than_five_wrong_codes_are_tried_however_fast(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    mail = ask(app, anna)

    def guess(number: int) -> object:
        wrong = f"{(int(mail.code) + 1 + number) % 1_000_000:06d}"
        with transaction() as inner:
            return open_by_code(inner, anna.id, wrong, now=datetime.now(UTC))

    assert not any(isinstance(one, Opened) for one in times(app, TIMES, guess))
    assert session.scalars(select(StepUpRow.attempts)).one() == 5


def test_the_limit_of_mails_holds_against_many_at_once(app: Flask, session: Session) -> None:
    anna = make_recipient(session)

    def ask_now(_number: int) -> object:
        with transaction() as inner:
            return ask_step_up(inner, anna.id, locale="sv", now=datetime.now(UTC))

    times(app, TIMES, ask_now)
    assert session.scalar(select(func.count()).select_from(OutboxJobRow)) == 3
    open_ones = select(func.count()).select_from(StepUpRow).where(StepUpRow.ended_at.is_(None))
    assert session.scalar(open_ones) == 1
