"""What a monitor reads: counts of what happened (`counts`), and the state of things asked of the database (`collect`).

To add one: a Counter in counts.py that an edge increments, or a function in a file of this package that asks the database and
its name in collect.COLLECTORS; and a row in docs/operations.md. Labels are closed vocabularies, keys of purposes or mailers,
and route templates: never an address, an id, a token or a path.
"""

from .collect import registry
from .counts import (
    ELIGIBILITY,
    ESP_EVENTS,
    JOBS,
    ONE_CLICKS,
    WEBHOOKS,
    OneClickResult,
    count_request,
    prepare_shared_folder,
    share_counts,
)

__all__ = [
    "ELIGIBILITY",
    "ESP_EVENTS",
    "JOBS",
    "ONE_CLICKS",
    "WEBHOOKS",
    "OneClickResult",
    "count_request",
    "prepare_shared_folder",
    "registry",
    "share_counts",
]
