"""Two people with the same form open: each form says what it was opened with, and whoever saves second is shown both.

The marked values are compared again where they are changed, under the row's lock: two who press at once do not both win.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import request

MEANWHILE = "meanwhile"
"""The problem of a form whose values somebody else has changed since it was opened."""


def seen(*values: Any) -> str:
    """A short mark of what is stored. It gives nothing of the values away."""
    written = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def is_as_seen(*values: Any) -> bool:
    """Whether what is stored now is what the form was opened with. A form without a mark saw something else."""
    return request.form.get("seen", "") == seen(*values)


def mark_of(problem: str, *values: Any) -> str:
    """The mark for the form's hidden field `seen`: what it shows; after another problem than MEANWHILE the one it came with."""
    return seen(*values) if problem in {"", MEANWHILE} else request.form.get("seen", "")[:32]
