"""Exports as CSV: choices, suppressions, photo lists, the register of processing. Each with a reason, freshly, on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Response as FlaskResponse
from flask import make_response, render_template, request, stream_with_context
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import NOTHING, AuditAction, AuditObject, AuditTarget
from preferences.domain.capability import RecipientId
from preferences.domain.catalogue import Catalogue
from preferences.domain.eligibility import Allowed, Decision
from preferences.domain.purpose import Purpose
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Permission
from preferences.integrations.csv_files import write_csv
from preferences.models.transaction import reading, snapshot, transaction
from preferences.queries.imports.exports import choices_for, suppressions_with_addresses
from preferences.queries.photos.trainings import Training, training_by_id, trainings
from preferences.queries.purposes.purposes import catalogue
from preferences.services.photos.photos import photo_list
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import day_in_words, typed
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from .register import register_rows

Row = tuple[object, ...]
Rows = Callable[[Session], Iterator[Row]]


@blueprint.get("/exports")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def exports() -> Response:
    """What can be taken out."""
    return _page()


@blueprint.post("/exports/choices")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def export_choices() -> Response:
    """Everybody's choice for one purpose or topic, with whether it may be acted on now."""
    with reading() as session:
        known = catalogue(session)
    chosen = {one.purpose.key: one for one in known.all()}.get(typed("purpose"))
    if chosen is None:
        return _page(problem=("choices-purpose", gettext("Choose the purpose.")))
    path = tuple(known.path_to(chosen.purpose))
    target = AuditTarget(AuditObject.PURPOSE, int(chosen.purpose.id))
    return _sent("choices", f"choices-{chosen.purpose.key}", target, lambda session: _choices(session, path))


@blueprint.post("/exports/suppressions")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def export_suppressions() -> Response:
    """Every active suppression."""
    return _sent("suppressions", "suppressions", NOTHING, _suppressions)


@blueprint.post("/exports/photos")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def export_photos() -> Response:
    """Everybody on one training, with name and image apart."""
    number = typed("training")
    training_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    with reading() as session:
        found = training_by_id(session, training_id)
    if found is None:
        return _page(problem=("photos-training", gettext("Choose the training.")))
    target = AuditTarget(AuditObject.TRAINING, training_id)
    return _sent("photos", f"photos-{training_id}", target, lambda session: _photos(session, training_id))


@blueprint.post("/exports/register")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def export_register() -> Response:
    """The register of processing (GDPR 30)."""
    return _sent("register", "register", NOTHING, register_rows)


def _sent(what: str, name: str, target: AuditTarget, rows: Rows) -> Response:
    """The file, streamed from one moment of the database, once it is on record; or the page again where no reason was given."""
    reason, now = typed("reason"), utc_now()
    if not reason:
        return _page(problem=(f"{what}-reason", gettext("Write the reason: it stands in the audit.")))
    with transaction() as session:
        record_audit(
            session, staff_id(), AuditAction.DATA_EXPORTED, target, data={"what": what}, reason=reason, now=now
        )
    return FlaskResponse(
        stream_with_context(_written(rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}-{now:%Y%m%d-%H%M}.csv"'},
    )


def _written(rows: Rows) -> Iterator[bytes]:
    with snapshot() as session:
        yield from write_csv(rows(session))


def _choices(session: Session, path: tuple[Purpose, ...]) -> Iterator[Row]:
    yield (
        *("id", "external_id", "email", "name", "locale", "status", "purpose", "training"),
        *("act", "basis", "since", "method", "paused_until", "allowed", "reason"),
    )
    for one, decision in choices_for(session, path, now=utc_now()):
        yield (
            format_recipient_id(RecipientId(one.recipient_id)),
            one.external_id,
            one.address,
            one.name,
            one.locale,
            one.status.value,
            path[-1].key,
            one.training_id or None,
            one.act,
            one.basis,
            one.since and one.since.isoformat(),
            one.method,
            one.paused_until and one.paused_until.isoformat(),
            *_verdict(decision),
        )


def _suppressions(session: Session) -> Iterator[Row]:
    known = catalogue(session)
    yield ("number", "email", "reason", "scope", "purpose", "source", "since")
    for one in suppressions_with_addresses(session):
        described = known.by_id(one.purpose_id)
        purpose = described.purpose.key if described else None
        yield (one.id, one.address, one.reason.value, one.scope.value, purpose, one.source, one.since.isoformat())


def _photos(session: Session, training_id: int) -> Iterator[Row]:
    now = utc_now()
    yield (
        "id",
        "name",
        "company",
        "email",
        "name_allowed",
        "name_reason",
        "image_allowed",
        "image_reason",
        "marketing_allowed",
        "marketing_reason",
    )
    for one in photo_list(session, training_id, at=now, asked_at=now):
        person, may = one.person, one.may
        yield (
            format_recipient_id(person.recipient_id),
            person.name,
            person.company,
            person.address,
            *_verdict(may.name),
            *_verdict(may.image),
            *_verdict(may.marketing),
        )


def _verdict(decision: Decision) -> tuple[str, str]:
    return ("yes" if isinstance(decision, Allowed) else "no", decision.reason.value)


def _page(*, problem: tuple[str, Any] | None = None) -> Response:
    with reading() as session:
        known = catalogue(session)
        planned = [one.training for one in trainings(session)]
    page = render_template(
        "admin/transfers/exports.html",
        purposes=_purposes(known),
        trainings=[(one.id, _named(one)) for one in planned],
        typed={name: typed(name) for name in ("purpose", "training", "reason")},
        what=request.path.rsplit("/", 1)[1],
        problem=problem,
    )
    return make_response(page, 422 if problem else 200)


def _named(training: Training) -> str:
    name = f"{training.title}, {day_in_words(training.held_on)}"
    return gettext("%(training)s (cancelled)", training=name) if training.cancelled_at else name


def _purposes(known: Catalogue) -> list[tuple[str, str]]:
    locale, default = request_locale(), settings().default_locale
    return [(one.purpose.key, one.text(locale, default).title) for one in known.all() if not one.purpose.is_archived]
