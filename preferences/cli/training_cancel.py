"""`flask trainings cancel`: a training does not take place, and those who take part are told; and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import click

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.photo import CancellationFor
from preferences.models.transaction import reading, transaction
from preferences.services.photos.cancelling import (
    cancel_training,
    resume_training,
    tell_it_is_cancelled,
    tell_it_takes_place,
)
from preferences.services.photos.trainings import Told, find_training
from preferences.services.staff.audit import record_audit


@click.command("cancel")
@click.argument("number", type=int)
@click.option(
    "--only-told", is_flag=True, help="Mail only those who have had the notice; without it, all who take part."
)
@click.option("--undo", is_flag=True, help="It takes place after all; whoever was mailed otherwise is mailed that.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def cancel(number: int, only_told: bool, undo: bool, as_json: bool) -> None:
    """Cancel a training and mail those who take part, once each. Safe to repeat: who is left is told."""
    if only_told and undo:
        raise click.UsageError("--only-told and --undo say different things")
    with reading() as session:
        is_cancelled = find_training(session, number).cancelled_at is not None
    if undo:
        if is_cancelled:
            _resume(number)
        enqueued, left = _tell(number, tell_it_takes_place, AuditAction.PHOTO_NOTICE_SENT)
    else:
        if not is_cancelled:
            _cancel(number, CancellationFor.TOLD if only_told else CancellationFor.EVERYBODY)
        enqueued, left = _tell(number, tell_it_is_cancelled, AuditAction.CANCELLATION_SENT)
    if as_json:
        click.echo(json.dumps({"enqueued": enqueued, "left": left, "cancelled": not undo}))
        return
    said = "It takes place." if undo else "Cancelled." if not is_cancelled else "It was cancelled already."
    click.echo(f"{said} {enqueued} mails are on their way.")


def _cancel(number: int, tells: CancellationFor) -> None:
    now = datetime.now(UTC)
    with transaction() as session:
        kept = cancel_training(session, number, tells, now=now)
        data = {"tells": tells.value, "kept_back": kept}
        record_audit(session, None, AuditAction.TRAINING_CANCELLED, _target(number), data=data, now=now)


def _resume(number: int) -> None:
    now = datetime.now(UTC)
    with transaction() as session:
        kept = resume_training(session, number, now=now)
        data = {"kept_back": kept}
        record_audit(session, None, AuditAction.TRAINING_RESUMED, _target(number), data=data, now=now)


def _tell(number: int, tell: Callable[..., Told], action: AuditAction) -> tuple[int, int]:
    enqueued, told = 0, Told(0, 0, is_done=False)
    while not told.is_done:
        with transaction() as session:
            told = tell(session, number, now=(now := datetime.now(UTC)))
            if told.enqueued:
                record_audit(session, None, action, _target(number), data={"told": told.enqueued}, now=now)
        enqueued += told.enqueued
    return enqueued, told.left


def _target(number: int) -> AuditTarget:
    return AuditTarget(AuditObject.TRAINING, number)
