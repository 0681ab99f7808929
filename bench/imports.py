"""Imports: a file of a million rows with consent, dry run and applied by the real command, encryption and ledger included.

Each command runs in a process of its own, whose time, processor time and largest memory are reported. A smaller import is
then applied while one-clicks arrive at a steady pace at the real server, and their response times are told.
`python -m bench.imports [rows]` prints the table for both databases.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .fill import fill_recipients, mint_unsubscribe
from .support import ROOT, Row, Service, print_table, service, serving

ROWS = 1_000_000
GOALS = {"postgresql": 60.0, "sqlite": 90.0}
MEMORY_GOAL = 300.0
CLICKS = 20_000
CLICKS_A_SECOND = 50
CLICK_GOAL = 60.0


@dataclass(frozen=True)
class Ran:
    """A command: what it printed as JSON, seconds on the clock and on the processor, and its largest memory in MB."""

    result: dict[str, object]
    seconds: float
    processor: float
    memory: float


def run(rows: int = ROWS) -> list[Row]:
    """Every figure on both databases."""
    found: list[Row] = []
    for name in ("sqlite", "postgresql"):
        with service(name) as one:
            found += measure(one, rows)
    return found


def measure(one: Service, rows: int) -> list[Row]:
    """Dry run and application of a whole file, then of a smaller one under one-clicks."""
    file = write_file(one.folder / "all.csv", rows)
    tried = command(one, "dry-run", str(file))
    applied = command(one, "apply", str(tried.result["id"]))
    assert applied.result["counts"] == {"new": rows, "changed": 0, "unchanged": 0, "held": 0, "invalid": 0}
    goal = GOALS[one.name] * rows / ROWS
    what = f"{rows:,} rows, {one.name}"
    found = [
        Row(f"import: dry run of {what}", tried.seconds, "s", note=f"processor {tried.processor:.1f} s"),
        Row(
            f"import: {what} applied",
            applied.seconds,
            "s",
            goal,
            more_is_better=False,
            note=f"processor {applied.processor:.1f} s of ours, {rows / applied.seconds:,.0f} rows/s",
        ),
        Row("import: largest memory", applied.memory, "MB", MEMORY_GOAL, more_is_better=False),
    ]
    again = command(one, "apply", str(command(one, "dry-run", str(file)).result["id"]))
    assert again.result["counts"] == {"new": 0, "changed": 0, "unchanged": rows, "held": 0, "invalid": 0}
    found.append(Row("import: the same file again", again.seconds, "s", note=f"processor {again.processor:.1f} s"))
    return [*found, _under_clicks(one, rows // 5)]


def _under_clicks(one: Service, rows: int) -> Row:
    tokens = mint_unsubscribe(one, fill_recipients(CLICKS))
    file = write_file(one.folder / "some.csv", rows, first=10 * ROWS)
    tried = command(one, "dry-run", str(file))
    with serving(one) as address, clicking(address, tokens) as clicks:
        applied = command(one, "apply", str(tried.result["id"]))
    times = sorted(clicks.times)
    assert times, "no click was answered"
    note = (
        f"p50 {times[len(times) // 2]:.1f}, longest {times[-1]:.1f}; {len(times)} clicks, {clicks.failed} failed; "
        f"{rows / applied.seconds:,.0f} rows/s beside them"
    )
    p99 = times[int(len(times) * 0.99)]
    return Row(f"import: one-click p99 during it, {one.name}", p99, "ms", CLICK_GOAL, more_is_better=False, note=note)


def write_file(path: Path, rows: int, *, first: int = 0) -> Path:
    """A customer list as a shop exports it, with consent on every row."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email;name;company_name;telephone;id;locale;purpose;act;occurred_at;source;wording\n")
        for number in range(first, first + rows):
            file.write(
                f"Buyer.{number}@shop{number % 50_000}.example.com;Åsa Person {number};Bolag {number % 50_000} AB;"
                f"+46 8 {number % 1_000_000:06};{number};sv;marketing;given;2024-0{number % 9 + 1}-01T1{number % 10}:00:00Z;"
                "webshop;Ja, jag vill ha nyhetsbrev med erbjudanden\n"
            )
    return path


def command(one: Service, *arguments: str) -> Ran:
    """`flask import … --json` in a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "import", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, **one.environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with measuring_memory(process.pid) as memory:
        printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"import {arguments[0]} ended with {process.returncode}")
    processor = usage.ru_utime + usage.ru_stime
    return Ran(json.loads(printed), seconds, processor, memory.most)


@dataclass
class Memory:
    """The most that a process and its children held together, in MB; what they share counts once."""

    most: float = 0.0


@contextmanager
def measuring_memory(pid: int) -> Iterator[Memory]:
    """Looks every half second while the block runs."""
    memory, stop = Memory(), threading.Event()

    def look() -> None:
        while not stop.wait(0.5):
            memory.most = max(memory.most, sum(_held(one) for one in (pid, *_children(pid))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _held(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


@dataclass
class Clicks:
    """Milliseconds of every answered one-click, and how many were not answered 200."""

    times: list[float] = field(default_factory=list)
    failed: int = 0


@contextmanager
def clicking(address: str, tokens: list[str]) -> Iterator[Clicks]:
    """One-clicks at a steady pace from one connection, each for another recipient, while the block runs."""
    clicks, stop = Clicks(), threading.Event()

    def click() -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        due = time.perf_counter()
        for token in tokens:
            if stop.is_set():
                return
            due += 1 / CLICKS_A_SECOND
            start = time.perf_counter()
            connection.request("POST", f"/u/{token}", b"List-Unsubscribe=One-Click", headers)
            answer = connection.getresponse()
            answer.read()
            clicks.times.append((time.perf_counter() - start) * 1000)
            clicks.failed += answer.status != 200
            stop.wait(max(0.0, due - time.perf_counter()))

    thread = threading.Thread(target=click)
    thread.start()
    try:
        yield clicks
    finally:
        stop.set()
        thread.join()


def main() -> None:
    """The table."""
    print_table(run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))


if __name__ == "__main__":
    main()
