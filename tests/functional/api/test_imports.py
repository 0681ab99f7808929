"""`/imports`: a file goes up, a worker tries it out, the mailer looks, a worker applies it. Nobody is revived on the way."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.scopes import Scope
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.services.imports.claims import claim_import
from preferences.services.imports.imports import CHUNK_ROWS, CLAIM
from preferences.web.api import imports
from preferences.worker.import_lane import ImportLane
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import BASE, Api, Reply
from tests.support.client import StrictClient

HEAD = "email,name,purpose,act,occurred_at,source"
FILE = f"{HEAD}\nåsa@example.se,Åsa Öberg,marketing,given,2024-05-01,web\nanna@example.se,Anna,marketing,given,2024-05-01,web\n"


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.IMPORTS), session)


def upload(api: Api, data: bytes | str = FILE, *, key: str | None = None, **fields: Any) -> Reply:
    """Send a file as a browser or curl would."""
    if api.session is not None:
        api.session.rollback()
    headers = {"Authorization": f"Bearer {api.key}"} | ({"Idempotency-Key": key} if key else {})
    raw = data.encode() if isinstance(data, str) else data
    form = {"file": (io.BytesIO(raw), "kunder åäö.csv"), **fields}
    return Reply(api.client.post(f"{BASE}/imports", data=form, headers=headers))


def lane(*, stop: threading.Event | None = None, at: datetime | None = None) -> ImportLane:
    return ImportLane(stop or threading.Event(), lambda: at or datetime.now(UTC))


def shown(api: Api, number: int) -> Any:
    return api.get(f"/imports/{number}").json


def test_a_file_is_tried_out_looked_at_and_applied(api: Api, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    received = upload(api)
    assert (received.status_code, received.json["stage"], received.json["filename"]) == (
        202,
        "received",
        "kunder åäö.csv",
    )
    number = received.json["id"]
    assert received.headers["Location"] == f"/api/v1/imports/{number}"
    assert api.post(f"/imports/{number}/apply", {}).problem(409)["detail"].endswith("its dry run is not done yet.")
    assert lane().run_batch() == 1
    tried = shown(api, number)
    assert (tried["stage"], tried["rows"], tried["applied"], tried["would_revive"]) == ("planned", 2, 0, 1)
    assert tried["counts"] == {"new": 1, "changed": 0, "unchanged": 0, "held": 1, "invalid": 0}
    held = api.get(f"/imports/{number}/report?outcome=held,invalid").json
    assert [(line["line"], line["reason"]) for line in held["lines"]] == [(3, "withdrawn")]
    assert "anna" not in json.dumps(held)
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 1
    begun = api.call("POST", f"/imports/{number}/apply")
    assert (begun.status_code, begun.json["stage"]) == (202, "applying")
    assert api.post(f"/imports/{number}/apply", {}).status_code == 202, "saying it twice does no harm"
    assert (lane().run_batch(), lane().run_batch()) == (1, 0)
    done = shown(api, number)
    assert (done["stage"], done["applied"], done["counts"]["held"]) == ("applied", 2, 1)
    assert api.get(f"/imports/{number}/report", Accept="application/x-ndjson").lines[-1] == {"count": 2}
    assert api.post(f"/imports/{number}/apply", {}).problem(409)


def test_a_mapping_says_which_column_is_which(api: Api) -> None:
    mapping = json.dumps({"columns": {"Mejl till": "email"}})
    taken = upload(api, "Mejl till;Annat\nanna@example.se;x\n", mapping=mapping).json
    assert (taken["columns"], taken["not_read"]) == ({"email": "Mejl till"}, ["Annat"])


@pytest.mark.parametrize(
    ("data", "fields", "code"),
    [
        (b"", {}, "not_csv"),
        (b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaa", {}, "not_csv"),
        (b"name\nAnna\n", {}, "invalid_mapping"),
        (FILE.encode(), {"mapping": "{"}, "invalid_mapping"),
        (FILE.encode(), {"mapping": '{"columns": {"nowhere": "email"}}'}, "invalid_mapping"),
        (FILE.encode(), {"mapping": "x" * 20_001}, "invalid_request"),
        (FILE.encode(), {"mapping": "a\x00"}, "malformed"),
        (FILE.encode(), {"mapping": '{"constants": {"name": "a\\u0000"}}'}, "invalid_mapping"),
        (FILE.encode(), {"mapping": '{"constants": {"name": "\\ud800"}}'}, "invalid_mapping"),
        (FILE.encode(), {"mapping": "[" * 20_000}, "invalid_mapping"),
        (FILE.encode(), {"apply": "true"}, "invalid_request"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_nothing_is_kept(
    api: Api, session: Session, data: bytes, fields: dict[str, str], code: str
) -> None:
    assert upload(api, data, **fields).problem(400 if code == "malformed" else 422)["code"] == code
    assert session.scalar(select(func.count()).select_from(ImportPartRow)) == 0


def test_headers_that_cannot_be_stored_are_read_without_what_is_wrong(api: Api) -> None:
    taken = upload(api, b"email,Or\x00d\nanna@example.se,x\n").json
    assert (taken["columns"], taken["not_read"]) == ({"email": "email"}, ["Ord"])


def test_only_a_form_with_one_file_is_read(api: Api) -> None:
    assert api.post("/imports", {"file": FILE}).problem(415)["code"] == "unsupported_media_type"
    headers = {"Authorization": f"Bearer {api.key}"}
    as_text = api.client.post(
        f"{BASE}/imports", data={"file": FILE}, headers=headers, content_type="multipart/form-data"
    )
    assert Reply(as_text).problem(422)["pointer"] == "/file"
    two = {"file": [(io.BytesIO(b"a"), "a.csv"), (io.BytesIO(b"b"), "b.csv")]}
    assert Reply(api.client.post(f"{BASE}/imports", data=two, headers=headers)).problem(400)
    cut = api.call("POST", "/imports", b"--x\r\nContent-Disp", Content_Type="multipart/form-data; boundary=x")
    assert cut.problem(422)


def test_a_file_too_large_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    small = replace(app.extensions["preferences.settings"], max_body_bytes=2000)
    monkeypatch.setitem(app.extensions, "preferences.settings", small)
    assert upload(api, b"email\n" + b"a@example.se\n" * 200).problem(413)["code"] == "too_large"


def test_the_same_upload_with_the_same_key_is_one_import(api: Api, session: Session) -> None:
    first, again = upload(api, key="monday"), upload(api, key="monday")
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert session.scalar(select(func.count()).select_from(ImportBatchRow)) == 1
    assert upload(api, f"{FILE}x@example.se,,,,,\n", key="monday").problem(422)["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("path", ["", "/report", "/apply"])
def test_others_imports_and_impossible_numbers_are_not_found(
    api: Api, client: StrictClient, session: Session, path: str
) -> None:
    number = upload(Api(client, make_key(session, Scope.IMPORTS, mailer="shop"), session)).json["id"]
    session.execute(update(ImportBatchRow).values(stage=ImportStage.PLANNED))
    session.commit()
    for one in (number, 0, -1, number + 1, 2**63, "9" * 400, "1.0", "x", "%D9%A1"):
        method = "POST" if path == "/apply" else "GET"
        assert api.call(method, f"/imports/{one}{path}").problem(404)["code"] == "not_found"


def test_a_discarded_import_keeps_no_file_and_makes_room(
    api: Api, client: StrictClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_UNFINISHED", 2)
    first, _ = upload(api).json["id"], upload(api)
    assert upload(api).problem(409)["code"] == "conflict"
    other = Api(client, make_key(session, Scope.IMPORTS, mailer="shop"), session)
    assert upload(other).status_code == 202, "another mailer's room is its own"
    assert other.delete(f"/imports/{first}").problem(404)
    assert api.delete(f"/imports/{first}").json["stage"] == "discarded"
    assert session.scalar(select(func.count()).where(ImportPartRow.import_id == first)) == 0
    assert api.delete(f"/imports/{first}").problem(409)
    assert upload(api).status_code == 202


def test_an_import_discarded_while_it_is_applied_stops_behind_the_chunk(api: Api) -> None:
    rows = "".join(f"p{number}@example.se,,,,,\n" for number in range(CHUNK_ROWS + 5))
    number = upload(api, f"{HEAD}\n{rows}").json["id"]
    lane().run_batch()
    api.call("POST", f"/imports/{number}/apply")
    stop = threading.Event()
    stop.set()
    lane(stop=stop).run_batch()
    assert api.delete(f"/imports/{number}").json["applied"] == CHUNK_ROWS
    assert lane().run_batch() == 0
    assert shown(api, number)["stage"] == "discarded"


def test_one_worker_at_a_time_and_another_when_the_first_is_gone(api: Api, session: Session) -> None:
    number, now = upload(api).json["id"], datetime.now(UTC)
    with transaction() as crashed:
        assert claim_import(crashed, now=now) is not None
    assert lane(at=now).run_batch() == 0
    assert lane(at=now + CLAIM + timedelta(seconds=1)).run_batch() == 1
    assert shown(api, number)["stage"] == "planned"


def test_a_stopped_worker_gives_the_import_back_and_the_next_goes_on(api: Api, session: Session) -> None:
    rows = "".join(f"p{number}@example.se,,,,,\n" for number in range(CHUNK_ROWS + 5))
    number = upload(api, f"{HEAD}\n{rows}").json["id"]
    stop = threading.Event()
    stop.set()
    assert lane(stop=stop).run_batch() == 1
    assert shown(api, number)["stage"] == "received"
    lane().run_batch()
    api.call("POST", f"/imports/{number}/apply")
    lane(stop=stop).run_batch()
    assert (shown(api, number)["stage"], shown(api, number)["applied"]) == ("applying", CHUNK_ROWS)
    assert lane().run_batch() == 1
    assert (shown(api, number)["stage"], shown(api, number)["applied"]) == ("applied", CHUNK_ROWS + 5)


def test_a_file_changed_in_the_database_is_given_up(api: Api, session: Session) -> None:
    number = upload(api).json["id"]
    session.execute(update(ImportBatchRow).values(digest=bytes(32)))
    session.commit()
    assert lane().run_batch() == 1
    assert shown(api, number)["stage"] == "discarded"
    assert lane().run_batch() == 0
