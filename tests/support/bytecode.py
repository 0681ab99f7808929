"""Compiled modules are kept, also where the environment says otherwise: a run starts more than a hundred processes."""

from __future__ import annotations

import os
import sys


def keep_bytecode() -> None:
    """Let this process and its children read and write `__pycache__`, which git ignores."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
