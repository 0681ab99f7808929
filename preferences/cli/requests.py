"""`flask requests`: rights requests, answered in writing and in time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import AnswerBy, RequestStep, RightsState
from preferences.models.transaction import reading, transaction
from preferences.queries.rights.rights_queue import RequestToWork, closed_requests, open_requests, request_by_reference
from preferences.services.rights.reach import way_to_answer
from preferences.services.rights.rights_work import answer_request, apply_wanted, extend_request
from preferences.services.rights.steps import record_step, target_of
from preferences.services.staff.audit import record_audit

requests = AppGroup("requests", help="Rights requests: who asked for what, and by when they get an answer.")

BY_LETTER = "No mail reaches this person: print the letter from the admin pages and post it."

_ANSWER = click.option("--answer", required=True, help="The answer; the person gets it by email, as written.")


@requests.command("list")
@click.option("--all", "with_closed", is_flag=True, help="List what is over too.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_requests(with_closed: bool, as_json: bool) -> None:
    """What waits for an answer, soonest due first."""
    with reading() as session:
        found = [*open_requests(session), *(closed_requests(session) if with_closed else ())]
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.reference}  {one.due_on}  {one.state.value}  {one.kind.value}")
    if not found:
        click.echo("Nothing waits.")


@requests.command("extend")
@click.argument("reference")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The new date, YYYY-MM-DD.")
@click.option("--reason", required=True, help="Why; the person gets it by email, as written.")
def extend(reference: str, until: datetime, reason: str) -> None:
    """Give the answer more time, once and before it is due, and tell the person why."""
    with transaction() as session:
        now = datetime.now(UTC)
        named = request_by_reference(session, reference)
        by = AnswerBy.MAIL if named is None else way_to_answer(session, named)
        found = extend_request(session, reference, until=until.date(), reason=reason, by=by, now=now)
        data = {"until": until.date().isoformat(), "by": by.value}
        record_audit(session, None, AuditAction.REQUEST_EXTENDED, target_of(found), data=data, now=now)
    click.echo(f"{reference} is due on {until.date()}.")
    if by is AnswerBy.LETTER:
        click.echo(BY_LETTER)


@requests.command("fulfil")
@click.argument("reference")
@_ANSWER
@click.option("--apply", "write_fields", is_flag=True, help="First write the profile fields that are asked for.")
def fulfil(reference: str, answer: str, write_fields: bool) -> None:
    """Close it as done, and mail the answer to the person."""
    now = datetime.now(UTC)
    with transaction() as session:
        fields = apply_wanted(session, reference, now=now) if write_fields else ()
        if fields and (found := request_by_reference(session, reference)):
            record_step(session, found, RequestStep.FIELDS_WRITTEN, staff_id=None, now=now, fields=fields)
        _answer(session, reference, RightsState.FULFILLED, answer, now)
    click.echo(f"{reference} is fulfilled." + (f" Written: {', '.join(fields)}." if fields else ""))


@requests.command("refuse")
@click.argument("reference")
@_ANSWER
def refuse(reference: str, answer: str) -> None:
    """Close it as refused, with the reason, and mail that to the person."""
    with transaction() as session:
        _answer(session, reference, RightsState.REFUSED, answer, datetime.now(UTC))
    click.echo(f"{reference} is refused.")


def _answer(session: Session, reference: str, outcome: RightsState, answer: str, now: datetime) -> None:
    """Answer it, with an entry in its history: a command leaves as much of a trace as a page."""
    named = request_by_reference(session, reference)
    by = AnswerBy.MAIL if named is None else way_to_answer(session, named)
    found = answer_request(session, reference, outcome, answer=answer, by=by, now=now)
    data = {"outcome": outcome.value, "by": by.value}
    record_audit(session, None, AuditAction.REQUEST_ANSWERED, target_of(found), data=data, now=now)
    if by is AnswerBy.LETTER:
        click.echo(BY_LETTER)


def _as_json(one: RequestToWork) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "kind": one.kind.value,
        "state": one.state.value,
        "recipient": None if one.recipient_id is None else format_recipient_id(one.recipient_id),
        "channel": one.channel.value,
        "identity": one.identity.value,
        "details": one.details,
        "received_at": one.received_at.isoformat(timespec="seconds"),
        "due_on": one.due_on.isoformat(),
        "extension_reason": one.extension_reason,
        "closed_at": one.closed_at.isoformat(timespec="seconds") if one.closed_at else None,
        "answer": one.answer,
    }
