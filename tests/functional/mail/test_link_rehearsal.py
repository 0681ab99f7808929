"""A link is tried with every kind of request, for real, and nothing of it stays (M2-M7)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy import MetaData, select
from sqlalchemy.orm import Session
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from preferences.domain.acts import Method
from preferences.domain.capability import Capability
from preferences.domain.request_shapes import SHAPES, LinkState, Must, Shape, Verdict
from preferences.metrics import ONE_CLICKS
from preferences.models.base import Base
from preferences.models.rehearsal import on_stage, rehearsal
from preferences.models.transaction import deciding, glancing, reading, transaction
from preferences.services.choices.unsubscribe import stop_everything
from preferences.services.recipients.link_rehearsal import LinkRehearsal, NotOurLink, rehearse_link
from tests.factories import link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.one_click_bodies import PAIR
from tests.support.visits import entries

BASE = "https://preferences.example"


def rehearse(app: Flask, path: str) -> LinkRehearsal:
    return rehearse_link(app.wsgi_app, BASE + path, base_url=BASE, signer=app.extensions["preferences.signer"])


def counted() -> list[float]:
    return [sample.value for one in ONE_CLICKS.values() for metric in one.collect() for sample in metric.samples]


def everything_stored(session: Session) -> dict[str, list[Any]]:
    metadata: MetaData = Base.metadata
    session.rollback()
    found = {table.name: sorted(map(repr, session.execute(select(table)))) for table in metadata.sorted_tables}
    session.rollback()
    return found


def test_a_good_link_does_right_by_every_request_and_nothing_stays(app: Flask, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    before = everything_stored(session)
    found = rehearse(app, f"/u/{token}")
    assert {one.shape: one.verdict for one in found.tried} == dict.fromkeys(Shape, Verdict.RIGHT)
    changed = {one.shape for one in found.tried if one.came.changed}
    assert changed == {shape for shape, sent in SHAPES.items() if sent.must is not Must.SHOW}
    assert (found.state, found.is_sound) == (LinkState.STOPS, True)
    assert everything_stored(session) == before


def test_the_link_still_works_afterwards(app: Flask, session: Session, client: StrictClient) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    rehearse(app, f"/u/{token}")
    client.post(f"/u/{token}", data=PAIR, content_type="application/x-www-form-urlencoded")
    assert [entry.method for entry in entries(session)] == [Method.ONE_CLICK]


def test_a_link_about_everything_is_tried_too(app: Flask, session: Session) -> None:
    token = link(make_recipient(session), 0)
    before = everything_stored(session)
    assert rehearse(app, f"/u/{token}").state is LinkState.STOPS
    assert everything_stored(session) == before


def test_a_link_that_has_done_its_work_is_sound(app: Flask, session: Session, client: StrictClient) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    client.post(f"/u/{token}", data=PAIR, content_type="application/x-www-form-urlencoded")
    found = rehearse(app, f"/u/{token}")
    assert (found.state, found.is_sound) == (LinkState.STOPPED, True)
    assert {one.verdict for one in found.tried} == {Verdict.RIGHT, Verdict.NOTHING_TO_STOP}


def test_a_token_that_is_not_ours_is_told(app: Flask, session: Session) -> None:
    preferences = link(make_recipient(session), purpose(session, "marketing"), Capability.PREFERENCES)
    for path in (f"/u/{preferences}", "/u/nonsense", "/u/", "/u/%00", "/u/" + "x" * 400):
        found = rehearse(app, path)
        assert (found.state, found.is_sound) == (LinkState.NOT_OURS, False), path
        assert not any(one.came.changed for one in found.tried), path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/u/x",
        "https://other.example/u/x",
        "http://preferences.example/u/x",
        f"{BASE}/p/x",
        f"{BASE}.evil.example/u/x",
        f"{BASE}/u/å",
        f"{BASE}/u/\r\nHost: x",
        f"{BASE}/u/" + "x" * 500,
    ],
)
def test_no_other_address_is_tried(app: Flask, url: str) -> None:
    with pytest.raises(NotOurLink) as refused:
        rehearse_link(app.wsgi_app, url, base_url=BASE, signer=app.extensions["preferences.signer"])
    assert refused.value.pointer == "/url"


def answering(**headers: str) -> Callable[..., Any]:
    def wsgi(environ: Any, start_response: Any) -> Any:
        return Response("", int(headers.get("status", 200)), {k: v for k, v in headers.items() if k != "status"})(
            environ, start_response
        )

    return wsgi


@pytest.mark.parametrize(
    ("wsgi", "verdict"),
    [
        (answering(Location="/x", status="301"), Verdict.REDIRECTED),
        (answering(**{"Set-Cookie": "a=b"}), Verdict.COOKIE),
        (answering(status="403"), Verdict.REFUSED),
        (answering(status="500"), Verdict.FAILED),
    ],
)
def test_what_goes_wrong_is_named(app: Flask, wsgi: Any, verdict: Verdict) -> None:
    found = rehearse_link(wsgi, f"{BASE}/u/x", base_url=BASE, signer=app.extensions["preferences.signer"])
    assert {one.verdict for one in found.tried if one.shape is not Shape.PAGE_FORM} == {verdict}


def test_t1_a_get_that_unsubscribes_would_be_seen(app: Flask, session: Session, now: Any) -> None:
    anna = make_recipient(session)

    def wsgi(environ: Any, start_response: Any) -> Any:
        with app.app_context(), transaction() as writing:
            stop_everything(writing, anna.id, method=Method.ONE_CLICK, now=now)
        return Response("done")(environ, start_response)

    found = rehearse_link(wsgi, f"{BASE}/u/x", base_url=BASE, signer=app.extensions["preferences.signer"])
    verdicts = {one.shape: one.verdict for one in found.tried}
    assert verdicts[Shape.GET] is verdicts[Shape.HEAD] is verdicts[Shape.POST_EMPTY] is Verdict.CHANGED
    assert entries(session) == []


def test_t4_a_way_to_stop_that_does_nothing_is_told_by_the_others(app: Flask, session: Session, now: Any) -> None:
    anna = make_recipient(session)

    def wsgi(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "POST" and "multipart" not in environ.get("CONTENT_TYPE", ""):
            with app.app_context(), transaction() as writing:
                stop_everything(writing, anna.id, method=Method.ONE_CLICK, now=now)
        return Response("done")(environ, start_response)

    found = rehearse_link(wsgi, f"{BASE}/u/x", base_url=BASE, signer=app.extensions["preferences.signer"])
    assert [one.shape for one in found.tried if one.verdict is Verdict.NOT_DONE] == [Shape.POST_MULTIPART]


def test_lines_of_the_log_say_that_it_was_a_rehearsal_and_hold_no_token(app: Flask, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    with capture_logs(processors=[merge_contextvars]) as logged:
        rehearse(app, f"/u/{token}")
    assert {(one["event"], one["rehearsal"]) for one in logged} == {("unsubscribe_post_ignored", True)}
    assert token not in repr(logged)


def test_a_rehearsal_is_not_counted(app: Flask, session: Session, client: StrictClient) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    before = counted()
    rehearse(app, f"/u/{token}")
    assert counted() == before
    client.post(f"/u/{token}", data=PAIR, content_type="application/x-www-form-urlencoded")
    assert counted() != before


def test_only_the_work_on_stage_is_undone(app: Flask, session: Session) -> None:
    def look() -> bool:
        with app.app_context():
            ways = (transaction, deciding, reading, glancing)
            for way in ways:
                with way() as staged:
                    assert staged.connection() is on_stage()
        return True

    with rehearsal() as stage:
        assert on_stage() is None
        assert stage.perform(look)
        seen: list[Any] = []
        beside = threading.Thread(target=lambda: seen.append(on_stage()))
        beside.start()
        beside.join()
        assert seen == [None]
    assert on_stage() is None
