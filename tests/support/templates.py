"""Templates compiled once in a run: else each application compiles its own, some 240 of them, in three seconds and more."""

from __future__ import annotations

import os

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache


def share_compiled(app: Flask, factory: pytest.TempPathFactory) -> None:
    """Let an application use what another of this run has compiled, in the process beside it too. Changed source is new."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled-templates"
    folder.mkdir(exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder))
