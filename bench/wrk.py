"""The load generator: wrk with one POST a token, so that every request is another recipient's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .support import CONNECTIONS

_SCRIPT = """
local paths, at = {{}}, 0
for line in io.lines("{tokens}") do paths[#paths + 1] = line end
local headers = {{ ["Content-Type"] = "application/x-www-form-urlencoded" }}
function request()
  at = at + 1
  if at > #paths then wrk.thread:stop() at = 1 end
  return wrk.format("POST", "/u/" .. paths[at], headers, "List-Unsubscribe=One-Click")
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {{"answered": %d, "microseconds": %d, "not_200": %d, "failed": %d, "p50": %d, "p99": %d}}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What the load generator saw. Times in milliseconds."""

    answered: int
    seconds: float
    not_200: int
    failed: int
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def post_one_clicks(address: str, tokens: Sequence[str], folder: Path, *, seconds: float) -> Load:
    """One-click for token after token on 16 connections. Raises RuntimeError when the tokens run out or wrk fails."""
    (folder / "tokens").write_text("\n".join(tokens))
    (folder / "load.lua").write_text(_SCRIPT.format(tokens=folder / "tokens"))
    found = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "10s",
            "-s",
            str(folder / "load.lua"),
            address,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in found.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["answered"] > len(tokens) - CONNECTIONS:
        raise RuntimeError("there were too few tokens for this machine")
    return Load(
        answered=result["answered"],
        seconds=result["microseconds"] / 1e6,
        not_200=result["not_200"],
        failed=result["failed"],
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
    )
