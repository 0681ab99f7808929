"""The self-check of what lies outside: the address as it is reached, copies that were made and proved, the law."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from preferences.domain.own_address import AddressCode, proof
from preferences.domain.purpose import LawfulBasis
from preferences.domain.roles import Role
from preferences.models.purpose import NoticeTextRow, NoticeVersionRow
from preferences.models.upkeep import AddressCheckRow, BackupRow
from preferences.queries.purposes.purposes import forget_catalogue
from preferences.web.admin.words.words import WORDS
from preferences.worker import Worker
from tests.factories import purpose
from tests.support.mailing import settings_changed
from tests.support.receiver import Answer, receiving
from tests.support.staff import StaffBrowser, audited, signed_in

from .test_admin_settings import line

ADDRESS, COPY = "Adressen, prövad", "Säkerhetskopia"


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """Somebody who may see settings."""
    return signed_in(app, session, Role.ADMINISTRATOR)


@contextmanager
def reached(app: Flask, answer: Any) -> Iterator[None]:
    """The address of mail leads to a server that answers so."""
    with receiving() as server, settings_changed(app, base_url=server.url.removesuffix("/hook")):
        server.page = answer
        yield


def test_the_worker_calls_the_address_and_the_page_says_what_it_found(
    app: Flask, session: Session, officer: StaffBrowser
) -> None:
    key = app.extensions["preferences.settings"].secret_keys[-1]

    def ours(path: str) -> Answer:
        return 200, {}, proof(key, path.rpartition("/")[2]).encode()

    with reached(app, ours):
        assert "Inte prövat på sistone" in line(officer, ADDRESS)
        assert "calling" in officer.post("/admin/settings/call-address").location
        assert "calling_already" in officer.post("/admin/settings/call-address").location
        assert audited(session).count("address_called") == 1
        session.rollback()
        assert "just nu" in line(officer, ADDRESS)
        assert Worker().run_until_idle() == 1
        told = line(officer, ADDRESS)
        assert "Just den här installationen svarar där." in told
        assert "inte är publik" in told
        assert "i ordning" in told
    assert "Inte prövat" in line(officer, ADDRESS), "what was found of another address says nothing of this one"


def test_a_redirect_and_somebody_else_are_said_with_what_to_do(
    app: Flask, session: Session, officer: StaffBrowser
) -> None:
    with reached(app, lambda _: (302, {"Location": "https://other.example/"}, b"")):
        officer.post("/admin/settings/call-address")
        Worker().run_until_idle()
        told = line(officer, ADDRESS)
        assert "Den leder till https://other.example/." in told
        assert "titta på det här" in told
        for code in AddressCode:
            session.execute(update(AddressCheckRow).values(code=code, certificate_ends_at=None))
            session.commit()
            assert line(officer, ADDRESS)
        soon = datetime.now(UTC) + timedelta(days=9, hours=1)
        session.execute(update(AddressCheckRow).values(code=AddressCode.OURS, certificate_ends_at=soon))
        session.commit()
        told = line(officer, ADDRESS)
        assert "gäller 9 dagar till" in told
        assert "Förnya certifikatet" in told
        session.execute(update(AddressCheckRow).values(done_at=None, asked_at=soon - timedelta(days=9, hours=3)))
        session.commit()
        assert "Arbetsprocessen har inte prövat den" in line(officer, ADDRESS)
    assert {*WORDS["own_address"]} == {*AddressCode}


def run(app: Flask, *arguments: object) -> Any:
    """A command."""
    return app.test_cli_runner().invoke(args=[str(one) for one in arguments])


def test_copies_are_on_record_once_they_are_made_and_once_they_are_proved(
    app: Flask, session: Session, officer: StaffBrowser, tmp_path: Path
) -> None:
    assert "Aldrig" in line(officer, COPY)
    made = run(app, "backup", tmp_path / "copy")
    assert made.exit_code == 0, made.stderr
    told = line(officer, COPY)
    assert "Senast gjord" in told
    assert "Ingen kopia har prövats än" in told
    assert run(app, "restore", "--check", tmp_path / "copy").exit_code == 0
    assert "i ordning" in line(officer, COPY)
    session.execute(update(BackupRow).values(is_sound=False))
    session.commit()
    assert "INTE hel" in line(officer, COPY)
    session.execute(update(BackupRow).values(is_sound=True, made_at=datetime.now(UTC) - timedelta(days=3)))
    session.commit()
    assert "titta på det här" in line(officer, COPY)
    session.execute(update(BackupRow).values(made_at=datetime.now(UTC) + timedelta(days=3)))
    session.commit()
    assert "Aldrig" in line(officer, COPY), "nobody made a copy in the future"


def test_a_database_that_was_restored_does_not_claim_the_copies_of_another(
    app: Flask, session: Session, officer: StaffBrowser, tmp_path: Path
) -> None:
    """Neither the copy it came from nor any before: what is on record goes along with a copy, and is of another database."""
    for name in ("one", "two"):
        assert run(app, "backup", tmp_path / name).exit_code == 0
    assert session.scalar(select(BackupRow.database_id).distinct()) is not None
    session.execute(update(BackupRow).values(database_id="0" * 64))
    session.commit()
    told = line(officer, COPY)
    assert "Aldrig" in told
    assert "av en annan databas" in told


def test_copies_made_by_other_means_are_noted(app: Flask, session: Session, tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"PGDMP" + b"x" * 95)
    assert run(app, "backup", "--record-only", tmp_path / "dump").stdout == "Noted.\n"
    assert run(app, "backup", "--record-only").stdout == "Noted.\n"
    assert session.scalars(select(BackupRow.size).order_by(BackupRow.id)).all() == [100, None]
    assert run(app, "backup").exit_code == 2
    missing = run(app, "backup", "--record-only", tmp_path / "none")
    assert (missing.exit_code, len(missing.stderr.splitlines())) == (1, 1)


def test_a_copy_of_a_database_that_takes_no_writing_is_a_copy_all_the_same(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    """A standby, a full disk, tables of older code: it is said, and nothing fails."""
    session.execute(text("ALTER TABLE backups RENAME TO hidden"))
    session.commit()
    try:
        made = run(app, "backup", tmp_path / "copy", "--json")
        noted = run(app, "backup", "--record-only")
    finally:
        session.execute(text("ALTER TABLE hidden RENAME TO backups"))
        session.commit()
    assert made.exit_code == 0, made.stderr
    assert '"recorded": false' in made.stdout
    assert "could not be noted" in made.stderr
    assert noted.exit_code == 1


def test_a_basis_that_the_law_does_not_allow_is_said_and_nothing_breaks(
    app: Flask, session: Session, officer: StaffBrowser
) -> None:
    """L17: an installation from before the rule."""
    assert "Rättslig grund" not in officer.get("/admin/settings").text
    found = purpose(session, "photo_marketing")
    row = session.get_one(NoticeVersionRow, found.notice_version_id)
    newer = NoticeVersionRow(
        purpose_id=found.id,
        number=row.number + 1,
        lawful_basis=LawfulBasis.LEGITIMATE_INTEREST,
        customer_exception=False,
        published_at=datetime.now(UTC),
        texts=[NoticeTextRow(locale="sv", title="Bilder i reklam", what="a", why="b", who="c", how_long="d")],
    )
    session.add(newer)
    forget_catalogue(session)
    session.commit()
    assert "kräver samtycke" in line(officer, "Rättslig grund för ”Bilder i reklam”")
    assert officer.get("/admin/purposes/photo_marketing").status_code == 200


def test_the_result_of_a_test_mail_is_shown(app: Flask, session: Session, officer: StaffBrowser) -> None:
    officer.post("/admin/settings/test-mail")
    assert "väntar på arbetsprocessen" in officer.get("/admin/settings").text
    session.execute(text("UPDATE outbox_jobs SET attempts = 2, outcome = 'refused: 550'"))
    session.commit()
    assert "har försökts 2 gånger och har inte gått i väg: refused: 550" in officer.get("/admin/settings").text
    session.execute(text("UPDATE outbox_jobs SET run_at = created_at"))
    session.commit()
    Worker().run_until_idle()
    assert "lämnades över till mejlservern" in officer.get("/admin/settings").text
