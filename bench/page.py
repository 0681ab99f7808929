"""`GET /p/<token>`: the whole preference page of one person after another, with ten purposes and real texts."""

from __future__ import annotations

import json
import random
import subprocess
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from preferences.domain.acts import Act
from preferences.domain.capability import Capability, RecipientId
from preferences.domain.purpose import About, LawfulBasis, NoticeText
from preferences.models.ledger import ChoiceRow
from preferences.models.transaction import transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.services.purposes.purposes import NewPurpose, add_purpose
from tests.support import databases

from .fill import BATCH, fill_recipients
from .support import CONNECTIONS, Row, Service, service, serving

RECIPIENTS, SECONDS = 30_000, 10
GOAL = 1500
MOST_BYTES = 50_000

_SCRIPT = """
local paths, at = {{}}, 0
for line in io.lines("{paths}") do paths[#paths + 1] = line end
function request()
  at = at % #paths + 1
  return wrk.format("GET", paths[at], {{ ["Accept-Language"] = "sv" }})
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {{"answered": %d, "microseconds": %d, "wrong": %d, "p50": %d, "p99": %d}}\\n',
    summary.requests, summary.duration, e.status + e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def run(recipients: int = RECIPIENTS, seconds: int = SECONDS) -> list[Row]:
    """Both databases in turn."""
    return [row for name in databases.names() for row in _measure(name, recipients, seconds)]


def _measure(name: str, recipients: int, seconds: int) -> list[Row]:
    with service(name) as one:
        paths = _fill(one, recipients)
        rows = _load(one, f"preference page {name}: {one.workers} worker", paths, seconds)
        if one.workers == 1:
            rows += _load(replace(one, workers=2), f"preference page {name}: 2 workers", paths, seconds)
    return rows


def _load(one: Service, what: str, paths: Sequence[str], seconds: int) -> list[Row]:
    with serving(one) as address:
        with urllib.request.urlopen(address + paths[0]) as response:
            size = len(response.read())
        _wrk(address, paths, one.folder, 2)
        found = _wrk(address, paths, one.folder, seconds)
    if found["wrong"]:
        raise RuntimeError(f"{found['wrong']} answers were not pages")
    per_second = found["answered"] / (found["microseconds"] / 1e6)
    note = f"p50 {found['p50'] / 1000:.1f} ms, p99 {found['p99'] / 1000:.1f} ms, {size:,} bytes"
    return [Row(what, per_second, "/s", GOAL, note=note)]


def _wrk(address: str, paths: Sequence[str], folder: Path, seconds: int) -> dict[str, int]:
    (folder / "paths").write_text("\n".join(paths))
    (folder / "page.lua").write_text(_SCRIPT.format(paths=folder / "paths"))
    found = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(folder / "page.lua"), address],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in found.stdout.splitlines() if line.startswith("RESULT "))
    result: dict[str, int] = json.loads(line.removeprefix("RESULT "))
    return result


def _fill(one: Service, count: int) -> list[str]:
    """Recipients with a few choices each, some paused, and a tenth purpose. Returns the paths of their pages."""
    now = datetime.now(UTC)
    with transaction() as session:
        text = NoticeText(
            "sv", "Kurskatalogen", "Vår katalog, två gånger om året.", "För att visa våra kurser.", "Vi.", "Tre år."
        )
        new = NewPurpose(key="catalogue", about=About.MAIL, lawful_basis=LawfulBasis.CONSENT, texts=[text], position=90)
        add_purpose(session, new, now=now)
    recipients = fill_recipients(count)
    with transaction() as session:
        ids = {key: catalogue(session).by_key(key).purpose.id for key in ("marketing", "service_news", "events")}
        rows = [row for recipient in recipients for row in _choices(recipient, ids, now)]
        for start in range(0, len(rows), BATCH):
            session.connection().execute(insert(ChoiceRow.__table__), rows[start : start + BATCH])  # type: ignore[arg-type]
    mint = one.app.extensions["preferences.signer"].minter(Capability.PREFERENCES, 0, issued_at=now)
    return [f"/p/{mint(recipient, 1)}" for recipient in recipients]


def _choices(recipient: RecipientId, ids: dict[str, int], now: datetime) -> list[dict[str, object]]:
    """Consent for most, a withdrawn topic for a third, an objection for a fifth: on days of the last two years."""
    dice = random.Random(recipient)
    wanted = [
        ("marketing", Act.GIVEN, LawfulBasis.CONSENT, 0.8),
        ("service_news", Act.WITHDRAWN, LawfulBasis.CONSENT, 0.33),
        ("events", Act.OBJECTED, LawfulBasis.LEGITIMATE_INTEREST, 0.2),
    ]
    return [
        {
            "recipient_id": recipient,
            "purpose_id": ids[key],
            "training_id": 0,
            "act": act,
            "basis": basis,
            "since": now - timedelta(days=dice.randint(1, 730)),
            "entry_id": 1,
        }
        for key, act, basis, share in wanted
        if dice.random() < share
    ]


if __name__ == "__main__":
    from .support import print_table

    print_table(run())
