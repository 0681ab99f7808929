"""`flask doctor`: is a message fit for one-click?"""

from __future__ import annotations

import json
from typing import IO

import click
from flask_babel import force_locale

from preferences.integrations.header_doctor import Diagnosis, examine
from preferences.integrations.header_doctor_codes import Finding, Severity
from preferences.integrations.header_doctor_words import SENTENCES
from preferences.integrations.raw_message import MOST_BYTES


@click.command("doctor")
@click.argument("message", metavar="FILE|-", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def doctor(message: IO[bytes], as_json: bool) -> None:
    """Examine a raw message: headers, DKIM coverage, visible links. Exits 1 where one-click will not work."""
    diagnosis = examine(message.read(MOST_BYTES + 1))
    with force_locale("en"):
        if as_json:
            click.echo(json.dumps({"findings": [_as_json(one) for one in diagnosis.findings]}, ensure_ascii=False))
        else:
            _print(diagnosis)
    if not diagnosis.is_sound:
        raise SystemExit(1)


def _as_json(finding: Finding) -> dict[str, str | None]:
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "about": finding.about or None,
        "sentence": str(SENTENCES[finding.code]),
    }


def _print(diagnosis: Diagnosis) -> None:
    for one in diagnosis.findings:
        about = f" ({one.about})" if one.about else ""
        click.echo(f"{one.severity.value}: {SENTENCES[one.code]}{about} [{one.code.value}]")
    errors, warnings = (diagnosis.count(severity) for severity in (Severity.ERROR, Severity.WARNING))
    click.echo(f"{errors} errors, {warnings} warnings.")
