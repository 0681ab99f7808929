"""`python -m bench [scenario …]`: run scenarios by name, all of them without one, and print what was measured as ratios.

A scenario is a module of this package with `run() -> list[Row]`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .support import Row, print_table

SCENARIOS = {
    "one_click": "POSTs a second on a real server, and as a share of the bare transaction",
    "page": "GETs of the preference page a second",
    "links": "tokens minted in process, and POST /links",
    "eligibility": "100,000 addresses against 1,000,000 recipients through the API",
    "feed": "changes read a second through GET /changes",
    "imports": "1,000,000 rows applied",
    "seals": "1,000,000 entries sealed, verified, and one of them proved",
    "evidence": "the evidence pack of a person with 5,000 entries",
    "webhooks": "deliveries a second by two workers, and from one-click to webhook",
    "admin": "every admin page with 1,000,000 recipients and 5,000,000 ledger entries",
    "esp": "10,000 events of an ESP until they are answered, and the worker after them",
}


def main(names: list[str]) -> int:
    """Run them one after the other. Returns 2 for a name that is no scenario."""
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        known = "\n".join(f"  {name:<12} {what}" for name, what in SCENARIOS.items())
        print(f"There is no scenario {unknown[0]!r}. There are:\n{known}", file=sys.stderr)
        return 2
    here = Path(__file__).parent
    rows: list[Row] = []
    for name in names or [name for name in SCENARIOS if (here / f"{name}.py").exists()]:
        rows += importlib.import_module(f"{__package__}.{name}").run()
    print_table(rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
