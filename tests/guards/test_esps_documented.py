"""docs/esp-events.md names every provider, and every secret that has to be entered (house rule 13)."""

from __future__ import annotations

import re
from pathlib import Path

from preferences.domain.esp_events import EspEventType
from preferences.integrations.esp import PROVIDERS


def test_every_provider_stands_in_the_table_with_its_secrets(root: Path) -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", (root / "docs" / "esp-events.md").read_text(), re.MULTILINE))
    assert set(PROVIDERS) <= set(rows)
    for name, provider in PROVIDERS.items():
        assert len(name) <= 32
        secrets = {field.name for scheme in provider.schemes for field in scheme.theirs}
        assert all(f"`{secret}`" in rows[name] for secret in secrets), name
    assert [name for name in rows if name not in PROVIDERS and name not in set(EspEventType)] == []


def test_every_type_of_event_is_documented(root: Path) -> None:
    text = (root / "docs" / "esp-events.md").read_text()
    assert [one for one in EspEventType if f"`{one}`" not in text] == []


def test_every_provider_names_its_documents(root: Path) -> None:
    folder = root / "preferences" / "integrations" / "esp"
    for name in PROVIDERS:
        assert re.search(r"^Documents: .+\.\w+", (folder / f"{name}.py").read_text(), re.MULTILINE), name
