"""Every example in README, docs/ and clients/ is executed: commands against a demo service, code as it stands, JSON parsed.

In a ```console block the lines that begin with `$ ` are run in order by one shell, in the project's folder, with `BASE_URL` and
`API_KEY` of a running demo service, and `flask` on the path. A failing command fails the test. What follows it is what it
prints, for the reader; it is not compared.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import DemoService

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "recipes").glob("*.md")),
    *sorted((ROOT / "clients").glob("*/README.md")),
]


def _blocks(language: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for page in PAGES:
        for block in re.finditer(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            line = page.read_text()[: block.start()].count("\n") + 1
            name = page.name if page.parent.name in {"docs", ROOT.name} else f"{page.parent.name}/{page.name}"
            found.append((f"{name}:{line}", block[1]))
    return found


def _each(language: str) -> pytest.MarkDecorator:
    blocks = _blocks(language)
    return pytest.mark.parametrize("block", [block for _, block in blocks], ids=[name for name, _ in blocks])


@pytest.mark.slow
@_each("console")
def test_commands_in_documents_work(block: str, demo_service: DemoService) -> None:
    commands = _commands(block)
    assert commands, "a console block without a command"
    done = _run(["bash", "-euo", "pipefail", "-c", "\n".join(commands)], demo_service)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@_each("python")
def test_python_in_documents_works(block: str, demo_service: DemoService) -> None:
    done = _run([sys.executable, "-W", "error", "-c", block], demo_service)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
@pytest.mark.slow
@_each("js")
def test_javascript_in_documents_works(block: str, demo_service: DemoService) -> None:
    """Run where the client lies, as a module."""
    folder = demo_service.folder / "clients" / "javascript"
    environment = {**os.environ, **demo_service.environment}
    command = ["node", "--input-type=module", "--eval", block]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@_each("json")
def test_json_in_documents_is_json(block: str) -> None:
    json.loads(block)


def _commands(block: str) -> list[str]:
    """The commands of a block; a line that ends in a backslash goes on in the next."""
    commands: list[str] = []
    goes_on = False
    for line in block.splitlines():
        if goes_on:
            commands[-1] += "\n" + line
        elif line.startswith("$ "):
            commands.append(line[2:])
        else:
            continue
        goes_on = line.endswith("\\")
    return commands


def _run(command: list[str], service: DemoService) -> subprocess.CompletedProcess[str]:
    clients = {"PYTHONPATH": str(service.folder / "clients" / "python")}
    environment = {**os.environ, **service.environment, **clients}
    return subprocess.run(command, cwd=service.folder, env=environment, capture_output=True, text=True, timeout=60)
