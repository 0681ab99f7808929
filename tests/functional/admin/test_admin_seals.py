"""The seals in the admin pages: heads, what waits, and tampering that "verify now" finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.models.audit import AuditRow
from preferences.models.seal import SealHeadRow
from preferences.models.transaction import snapshot
from preferences.queries.ledger.seal import newest_heads
from preferences.services.ledger.verify_newest import verify_newest
from preferences.services.ledger.verify_seal import Wrong
from preferences.web.admin.records.seals import waiting_of
from tests.support.page import Page
from tests.support.seals import seal, seal_keys, write_entries
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.tampering import tamper


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def verify(officer: StaffBrowser) -> Page:
    """The page after "verify now"."""
    answer = officer.post("/admin/seals/verify")
    assert answer.status_code == 303
    return Page(officer.get(answer.location))


def test_before_the_first_seal_the_page_says_what_makes_one(officer: StaffBrowser) -> None:
    page = Page(officer.get("/admin/seals"))
    assert "Inget är förseglat än." in page.text
    assert "Kontrollera nu" not in page.text
    assert "Det finns inget att kontrollera" in verify(officer).text


def test_heads_are_listed_with_what_they_follow_and_can_be_downloaded(session: Session, officer: StaffBrowser) -> None:
    write_entries(session, 5)
    last = seal(session, limit=2)
    page = Page(officer.get("/admin/seals"))
    links = [one.get("href") for one in page.all("a")]
    assert {"/admin/seals/3", "/admin/seals/2", "/seals/3.json", "/seals/1.json"} <= {*links}
    assert last.head.root.hex() in page.html
    one = Page(officer.get("/admin/seals/3"))
    for shown in (last.head.root, last.head.digest, last.head.previous, last.head.public_key, last.signature):
        assert shown is not None
        assert shown.hex() in one.text
    assert "/admin/seals/2" in one.html
    assert "/admin/seals/4" not in one.html


@pytest.mark.parametrize("path", ["/admin/seals/0", "/admin/seals/2", "/admin/seals/99999999999", "/admin/seals/x"])
def test_a_head_that_does_not_exist_is_not_found(session: Session, officer: StaffBrowser, path: str) -> None:
    write_entries(session, 1)
    seal(session)
    assert officer.get(path).status_code == 404


def test_an_entry_is_found_under_its_head(session: Session, officer: StaffBrowser) -> None:
    ids = write_entries(session, 3)
    seal(session, limit=2)
    found = Page(officer.get(f"/admin/seals?entry={ids[2]}"))
    assert f"Post {ids[2]} täcks först av" in found.text
    for forged in ("999999999999999999", "-1", "0", "'", "9" * 40):
        answer = officer.get(f"/admin/seals?entry={forged}&before={forged}")
        assert answer.status_code == 200
        assert "täcks först av" not in answer.text


def test_a_sound_ledger_fits_and_the_result_stays_on_the_page(session: Session, officer: StaffBrowser) -> None:
    write_entries(session, 3)
    seal(session)
    assert "allt stämmer" in verify(officer).text
    assert "ledger_verified" in audited(session)
    assert "allt stämmer" in officer.get("/admin/seals").text


def test_a_changed_entry_is_named(session: Session, officer: StaffBrowser) -> None:
    ids = write_entries(session, 4)
    seal(session)
    tamper(session, "UPDATE ledger_entries SET act = 'given' WHERE id = :id", id=ids[2])
    page = verify(officer)
    assert "Ändrad efter förseglingen" in page.text
    assert f"Post {ids[2]}" in page.text
    session.expire_all()
    row = session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()
    assert row is not None
    assert row.data is not None
    assert row.data["found"] == [["changed", ids[2], None]]


def test_a_removed_entry_is_named(session: Session, officer: StaffBrowser) -> None:
    ids = write_entries(session, 3)
    seal(session)
    tamper(session, "DELETE FROM ledger_entries WHERE id = :id", id=ids[1])
    page = verify(officer)
    assert "Förseglad men borta" in page.text
    assert f"Post {ids[1]}" in page.text


def found_in_the_newest(entries: int, heads: int = 200) -> tuple[int | None, int, set[tuple[Wrong, int | None]]]:
    """Where a bounded verification begins, how much it reads, and what it finds."""
    with snapshot() as session:
        found = verify_newest(session, seal_keys().public, entries=entries, heads=heads)
    assert found is not None
    return found.after, found.found.sealed, {(one.wrong, one.entry) for one in found.found.findings}


def test_the_newest_part_alone_is_read(session: Session) -> None:
    ids = write_entries(session, 700)
    seal(session, limit=100)
    assert found_in_the_newest(250) == (5, 200, set())
    assert found_in_the_newest(1, 200) == (6, 100, set())
    assert found_in_the_newest(5_000, 3) == (4, 300, set())
    assert found_in_the_newest(5_000) == (None, 700, set())
    tamper(session, "UPDATE ledger_entries SET act = 'given' WHERE id IN (:old, :new)", old=ids[50], new=ids[650])
    assert found_in_the_newest(250)[2] == {(Wrong.CHANGED, ids[650])}


def test_hashes_rewritten_further_back_are_found_from_the_newest_part(session: Session) -> None:
    write_entries(session, 700)
    seal(session, limit=100)
    tamper(session, "UPDATE seal_nodes SET hash = :hash WHERE number = 0", hash=bytes(32))
    assert found_in_the_newest(100)[2] == {(Wrong.TREE, None)}
    tamper(session, "DELETE FROM seal_nodes")
    assert found_in_the_newest(100)[2] == {(Wrong.TREE, None)}


def test_an_entry_put_in_behind_the_newest_head_is_found(session: Session) -> None:
    ids = write_entries(session, 6)
    seal(session, limit=2)
    if session.get_bind().dialect.name == "sqlite":
        tamper(session, "DELETE FROM sealed_entries WHERE entry_id = :id", id=ids[-1])
        assert (Wrong.INSERTED, ids[-1]) in found_in_the_newest(2)[2]


def test_what_waits_is_late_only_when_it_should_have_been_sealed(session: Session) -> None:
    now = datetime.now(UTC)
    assert (waiting_of(session, None, now=now).count, waiting_of(session, None, now=now).is_late) == (0, False)
    write_entries(session, 2)
    fresh = waiting_of(session, None, now=now)
    assert (fresh.count, fresh.due_at, fresh.is_late) == (2, None, False)
    assert waiting_of(session, None, now=now + timedelta(hours=1)).is_late
    seal(session)
    write_entries(session, 1)
    last = newest_heads(session, 1)[0]
    waits = waiting_of(session, last, now=now)
    assert waits.count >= 1
    assert waits.due_at == last.signed.head.sealed_at + timedelta(hours=1)
    assert not waits.is_late
    assert waiting_of(session, last, now=now + timedelta(hours=2)).is_late


def test_many_heads_are_paged(session: Session, officer: StaffBrowser) -> None:
    write_entries(session, 1)
    head = seal(session).head
    values = {"root": head.root, "public_key": head.public_key, "signature": bytes(64), "sealed_at": head.sealed_at}
    own = {"newest_entry_id": 1, "settled_entry_id": 1, "seen_at": head.sealed_at, "previous": bytes(32)}
    rows = [{**values, **own, "number": number, "tree_size": number} for number in range(2, 60)]
    session.execute(insert(SealHeadRow), rows)
    session.commit()
    assert "?before=10" in officer.get("/admin/seals").text
    second = officer.get("/admin/seals?before=10").text
    assert "/admin/seals/9" in second
    assert "/admin/seals/10" not in second
    one = Page(officer.get("/admin/seals/5"))
    assert "fel" in one.text


def test_whoever_may_not_see_the_audit_sees_no_seals(app: Flask, session: Session) -> None:
    marketer = signed_in(app, session, Role.MARKETER)
    assert marketer.get("/admin/seals").status_code == 403
    assert marketer.post("/admin/seals/verify").status_code == 403
