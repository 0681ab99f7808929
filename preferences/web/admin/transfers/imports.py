"""Imports: upload a CSV file, see what it would do, apply it, read what it did. A worker carries it on (T21)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, cast

from flask import Response as FlaskResponse
from flask import make_response, render_template, request, stream_with_context
from flask_babel import gettext, lazy_gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.acts import Actor
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import Conflict
from preferences.domain.intake import Outcome, RowResult
from preferences.domain.roles import Permission
from preferences.integrations.csv_files import NotCsv, write_csv
from preferences.integrations.csv_mapping import Reading, look_into
from preferences.integrations.csv_rows import read_rows
from preferences.models.import_batch import ImportStage, PartKind
from preferences.models.transaction import reading, transaction
from preferences.queries.imports.imports import ImportView, import_by_id, imports_before, report_page, report_rows
from preferences.queries.mailers.mailers import mailers
from preferences.queries.staff.staff import all_staff
from preferences.services.imports.imports import ImportTools, discard_import, store_import
from preferences.services.imports.steps import start_import
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_number, done, said
from preferences.web.admin.guard import fresh, needs, staff_id, takes
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.import_details import detail_in_words, row_in_words
from preferences.web.admin.words.imports import field_word, reason_word
from preferences.web.admin.words.words import staff_word
from preferences.web.plumbing import settings, utc_now

MOST_UPLOADED = 128 * 1024 * 1024
"""Larger files come in with the command."""

REFRESHED_SECONDS = 3
RUNNING = frozenset({ImportStage.RECEIVED, ImportStage.APPLYING})

MESSAGES = {
    "mapped": lazy_gettext("The dry run goes on by itself. You can leave this page."),
    "started": lazy_gettext("It is being applied. You can leave this page."),
    "discarded": lazy_gettext("The import is discarded and its file removed. What was applied stays."),
}
TOO_LATE = lazy_gettext(
    "Somebody was faster, or it has moved on meanwhile: nothing was changed now. This is how it stands."
)


@blueprint.get("/imports")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def imports() -> Response:
    """Every import, newest first, and the form for the next."""
    return _list()


@blueprint.post("/imports")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
@takes(MOST_UPLOADED)
def upload_import() -> Response:
    """Store a file, encrypted; then its columns are chosen."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _list(problem=gettext("Choose a file."))
    stream = cast("BinaryIO", file.stream)
    try:
        found = look_into(stream, time_zone=settings().time_zone)
    except NotCsv as error:
        return _list(problem=staff_word("flaw", error.flaw))
    view = store_import(
        tools(),
        stream,
        filename=file.filename,
        reading=found.as_json(),
        actor=Actor.STAFF,
        actor_id=staff_id(),
    )
    with transaction() as session:
        record_audit(session, staff_id(), AuditAction.IMPORT_UPLOADED, target_of(view), now=utc_now())
    return done("admin.show_columns", import_id=view.id)


@blueprint.get("/imports/<int:import_id>")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def import_page(import_id: int) -> Response:
    """What it would do or did; while a worker is at it, how far it has come, looked up again every few seconds."""
    return shown_import(existing_import(import_id))


@blueprint.get("/imports/<int:import_id>/apply")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def ask_to_apply(import_id: int) -> Response:
    """What will happen, before it does."""
    view = existing_import(import_id)
    if view.stage is not ImportStage.PLANNED or view.planned_at is None or view.actor is Actor.SYSTEM:
        return shown_import(view, problem=TOO_LATE)
    new, changed, held = (view.counts[one] for one in (Outcome.NEW, Outcome.CHANGED, Outcome.HELD))
    happens = [
        ngettext("%(num)s person is added.", "%(num)s people are added.", new),
        ngettext("%(num)s row changes somebody.", "%(num)s rows change somebody.", changed),
        ngettext(
            "%(num)s row is held: nothing of it is stored.", "%(num)s rows are held: nothing of them is stored.", held
        ),
        gettext("Everything is checked once more as it is applied: who has said no meanwhile stays out."),
        gettext("What has been applied cannot be taken back in one go."),
    ]
    page = render_template(
        "admin/are_you_sure.html",
        title=gettext("Apply %(name)s?", name=view.filename),
        happens=happens,
        action=f"/admin/imports/{import_id}/apply",
        button=gettext("Apply"),
        back=f"/admin/imports/{import_id}",
        fields={"planned_at": view.planned_at.isoformat()},
    )
    return make_response(page)


@blueprint.post("/imports/<int:import_id>/apply")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def apply_it(import_id: int) -> Response:
    """Have a worker apply what was looked at. Whoever comes second is told so."""
    view, now = existing_import(import_id), utc_now()
    try:
        planned_at = datetime.fromisoformat(request.form.get("planned_at", "")[:40])
        with transaction() as session:
            start_import(session, import_id, planned_at=planned_at, now=now)
            record_audit(
                session, staff_id(), AuditAction.IMPORT_APPLIED, target_of(view), data={"rows": view.rows or 0}, now=now
            )
    except (Conflict, ValueError, TypeError):
        return shown_import(existing_import(import_id), problem=TOO_LATE)
    return done("admin.import_page", "started", import_id=import_id)


@blueprint.get("/imports/<int:import_id>/discard")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def ask_to_discard(import_id: int) -> Response:
    """What will happen, before it does."""
    view = existing_import(import_id)
    if view.finished_at is not None:
        return shown_import(view, problem=TOO_LATE)
    page = render_template(
        "admin/are_you_sure.html",
        title=gettext("Discard %(name)s?", name=view.filename),
        happens=[
            gettext("The file is removed, and the import ends where it is."),
            gettext("What has been applied stays."),
        ],
        action=f"/admin/imports/{import_id}/discard",
        button=gettext("Discard"),
        back=f"/admin/imports/{import_id}",
    )
    return make_response(page)


@blueprint.post("/imports/<int:import_id>/discard")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
def discard_it(import_id: int) -> Response:
    """End it and remove its file."""
    view, now = existing_import(import_id), utc_now()
    try:
        with transaction() as session:
            discard_import(session, import_id, now=now)
            record_audit(session, staff_id(), AuditAction.IMPORT_DISCARDED, target_of(view), now=now)
    except Conflict:
        return shown_import(existing_import(import_id), problem=TOO_LATE)
    return done("admin.import_page", "discarded", import_id=import_id)


@blueprint.get("/imports/<int:import_id>/report.csv")
@access(Access.STAFF)
@needs(Permission.RUN_IMPORTS)
@fresh
def import_report(import_id: int) -> Response:
    """Every line of the report, streamed. It holds no address."""
    view = existing_import(import_id)
    with transaction() as session:
        record_audit(session, staff_id(), AuditAction.DATA_EXPORTED, target_of(view), now=utc_now())
    name = f"import-{import_id}.csv"
    return FlaskResponse(
        stream_with_context(_report(view)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def tools() -> ImportTools:
    """What imports borrow from this edge."""
    return ImportTools(transaction=transaction, reading=reading, read_rows=read_rows, now=utc_now)


def existing_import(import_id: int) -> ImportView:
    """The import with this number. Raises NotFound."""
    with reading() as session:
        return import_by_id(session, import_id)


def target_of(view: ImportView) -> AuditTarget:
    """The import as the audit names it."""
    return AuditTarget(AuditObject.IMPORT, view.id)


def shown_import(view: ImportView, *, problem: Any = "") -> Response:
    """The page of an import; 409 with a problem."""
    outcome = asked("outcome")
    outcomes = [Outcome(outcome)] if outcome in [*Outcome] else [*Outcome]
    running, still = view.stage in RUNNING, bool(asked("still"))
    with reading() as session:
        lines = report_page(
            session, view.id, report_of(view), outcomes, after=asked_number(BEFORE) or 0, limit=ROWS + 1
        )
        who = _who(session, [view])
    kept = Reading.from_json(view.reading)
    page = render_template(
        "admin/transfers/import.html",
        one=view,
        who=who[view.id],
        kept=kept,
        fixed=[(field_word(name), value) for name, value in kept.constants.items()],
        counts=view.counts,
        reasons=_reasons(view),
        page=page_of(lines, lambda line: line[0]),
        outcome=outcome if len(outcomes) == 1 else "",
        outcomes=[(one.value, staff_word("outcome", one)) for one in Outcome],
        field_word=field_word,
        reason_word=reason_word,
        detail_in_words=detail_in_words,
        running=running,
        still=still,
        problem=problem,
        done=said(MESSAGES),
    )
    answer = make_response(page, 409 if problem else 200)
    if running and not still and not problem:
        answer.headers["Refresh"] = str(REFRESHED_SECONDS)
    return answer


def report_of(view: ImportView) -> PartKind:
    """What there is to read: what was foreseen, or once it is begun what was done."""
    return PartKind.DRY_RUN if view.started_at is None else PartKind.APPLIED


def _list(*, problem: str = "") -> Response:
    with reading() as session:
        found = imports_before(session, asked_number(BEFORE) if request.method == "GET" else None, limit=ROWS + 1)
        who = _who(session, found)
    page = render_template(
        "admin/transfers/imports.html",
        page=page_of(found, lambda one: one.id),
        who=who,
        problem=problem,
        most=MOST_UPLOADED // 1024 // 1024,
    )
    return make_response(page, 422 if problem else 200)


def _who(session: Session, found: list[ImportView]) -> dict[int, str]:
    """Who brought each import, by its number."""
    staff = {int(one.id): one.name for one in all_staff(session)}
    names = {Actor.STAFF: staff, Actor.MAILER: {one.id: one.name for one in mailers(session)}}
    return {one.id: names.get(one.actor, {}).get(one.actor_id or 0) or gettext("the command line") for one in found}


def _reasons(view: ImportView) -> list[tuple[str, str, int]]:
    """Outcome, reason and rows; the most first."""
    found = view.planned if view.started_at is None else view.applied
    pairs = [(*key.partition("/")[::2], count) for key, count in found.items() if "/" in key]
    return sorted(pairs, key=lambda one: (-one[2], one[0], one[1]))


def _report(view: ImportView) -> Iterator[bytes]:
    with reading() as session:
        yield from write_csv(_rows(report_rows(session, view.id, report_of(view))))


def _rows(found: Iterator[RowResult]) -> Iterator[tuple[object, ...]]:
    yield ("line", "outcome", "reason", "detail", "in_words")
    for one in found:
        yield (one.line, one.outcome.value, one.reason, one.detail, row_in_words(one))
