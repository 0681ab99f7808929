"""Furnishes the admin pages: mailers with endpoints, keys and hooks, staff, forms, versions of the policy, imports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from preferences.domain.acts import Actor
from preferences.domain.intake import Outcome, RowResult
from preferences.domain.policy import PolicyText, Weight
from preferences.domain.roles import Role
from preferences.domain.scopes import Scope
from preferences.integrations.csv_mapping import Reading
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind, seal_part
from preferences.queries.imports.imports import report_part
from preferences.services.esp.hooks import add_hook
from preferences.services.policy.policy import publish_policy
from preferences.services.sign_up.forms import add_form
from preferences.services.webhooks.mailers import create_mailer, issue_key
from tests.support.webhooks import make_endpoint

from .esp.samples import SAMPLES
from .staff import make_staff

PROVIDERS = ("ses", "postmark", "mailgun")
FILE = "E-post;Namn\nåsa@example.se;Åsa Öberg\nanna@example.se;Anna\n"
LINES_A_PART = 5_000
ROLES = [*Role]


def furnish(session: Session, first: int, many: int) -> None:
    """Add this many of everything, counted from `first`. Committed."""
    for number in range(first, first + many):
        _mailer(session, number)
        make_staff(session, ROLES[number % len(ROLES)], f"staff.{number}@example.se", name=f"Stina {number}")
        now = datetime.now(UTC)
        add_form(session, f"brev-{number}", headings={"sv": "Brevet"}, purpose_keys=["marketing"], now=now)
        texts = [PolicyText(locale, f"Nytt {number}.", f"Allt {number}.") for locale in ("sv", "en")]
        publish_policy(session, texts, Weight.MAJOR, wanted=("sv", "en"), now=now)
        session.commit()
        for stage in (ImportStage.PLANNED, ImportStage.APPLIED):
            add_import(session, stage, 3)


def add_import(session: Session, stage: ImportStage, rows: int) -> int:
    """An import that was planned or applied, with a report of this many rows. Committed. Returns its number."""
    now = datetime.now(UTC)
    counts = {Outcome.NEW.value: rows - rows // 100, Outcome.HELD.value: rows // 100}
    is_applied = stage is ImportStage.APPLIED
    row = ImportBatchRow(
        stage=stage,
        filename="kunder åäö.csv",
        size=len(FILE.encode()),
        digest=b"d" * 32,
        reading=Reading("utf-8", ";", False, ("E-post", "Namn"), {"email": 0, "name": 1}).as_json(),
        actor=Actor.STAFF,
        actor_id=1,
        planned=counts,
        applied=counts if is_applied else {},
        rows=rows,
        position=rows if is_applied else 0,
        created_at=now - timedelta(days=1),
        planned_at=now - timedelta(days=1),
        started_at=now - timedelta(hours=2) if is_applied else None,
        finished_at=now - timedelta(hours=1) if is_applied else None,
    )
    session.add(row)
    session.flush()
    kind = PartKind.APPLIED if is_applied else PartKind.DRY_RUN
    session.add(_part(row.id, PartKind.FILE, 1, FILE.encode()))
    for part, start in enumerate(range(0, rows, LINES_A_PART), 1):
        lines = [
            RowResult(line, Outcome.HELD if line % 100 == 0 else Outcome.NEW)
            for line in range(start + 1, min(start + LINES_A_PART, rows) + 1)
        ]
        session.add(_part(row.id, kind, part, report_part(lines)))
    session.commit()
    return row.id


def _part(import_id: int, kind: PartKind, number: int, content: bytes) -> ImportPartRow:
    return ImportPartRow(
        import_id=import_id, kind=kind, number=number, content=seal_part(content, import_id, kind, number)
    )


def _mailer(session: Session, number: int) -> None:
    """A mailer with a key; those among the first of six with an endpoint and a hook as well."""
    now, key = datetime.now(UTC) - timedelta(days=900), f"mailer-{number}"
    create_mailer(session, key=key, name=f"Brevet {number}", now=now)
    issue_key(session, key, tuple(Scope), now=now, expires_at=None)
    session.commit()
    if (number - 1) % 6 < 4:
        make_endpoint(session, f"https://hooks.example.com/{number}", mailer=key, description=f"Produktion {number}")
    if (number - 1) % 6 < len(PROVIDERS):
        provider = PROVIDERS[(number - 1) % 6]
        secrets = SAMPLES[provider].secrets
        add_hook(session, mailer_key=key, provider=provider, secrets=secrets, purpose_key=None, now=now)
    session.commit()
