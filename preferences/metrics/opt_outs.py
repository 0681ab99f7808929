"""Opt-outs by purpose and method, counted in the ledger itself: whatever way they came, whichever process recorded them.

The ledger only grows, so what was counted is kept, and a reading counts what has come since. Entries of the last minutes are
counted afresh each time: their transactions may commit in another order than that of their ids.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, Metric
from sqlalchemy.orm import Session

from preferences.queries.numbers.opt_out_counts import count_opt_outs, last_entry_before
from preferences.queries.purposes.purposes import catalogue

SETTLES_WITHIN = timedelta(minutes=10)
"""No transaction that writes to the ledger takes so long."""


class OptOuts:
    """Counts on from where it was. One for each registry."""

    def __init__(self) -> None:
        self._settled: Counter[tuple[int, str]] = Counter()
        self._upto = 0
        self._turn = threading.Lock()

    def __call__(self, session: Session, now: datetime) -> Iterator[Metric]:
        """The counter as of now."""
        with self._turn:
            upto = last_entry_before(session, now - SETTLES_WITHIN)
            if upto > self._upto:
                self._settled += count_opt_outs(session, after=self._upto, upto=upto)
                self._upto = upto
            counts = self._settled + count_opt_outs(session, after=self._upto)
        metric = CounterMetricFamily(
            "preferences_opt_outs", "Refusals, withdrawals and objections recorded.", labels=["purpose", "method"]
        )
        known = catalogue(session)
        for (purpose_id, method), count in sorted(counts.items()):
            found = known.by_id(purpose_id)
            metric.add_metric([found.purpose.key if found else str(purpose_id), method], count)
        yield metric
