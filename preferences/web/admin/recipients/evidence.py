"""What proves what a person was shown and chose, to take along: one act's receipt, or everything in one zip."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from flask import Response as FlaskResponse
from flask import abort
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.receipt_dpv import as_dpv
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Permission
from preferences.domain.seal import as_file
from preferences.models.transaction import snapshot, transaction
from preferences.services.choices.receipts import make_receipt
from preferences.services.evidence_pack import write_evidence_pack
from preferences.services.ledger.proofs import proof_of
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.guard import audited_read, fresh, needs, staff_id
from preferences.web.admin.words.evidence import receipt_language
from preferences.web.plumbing import utc_now

from .recipients import existing, target_of


@blueprint.get("/recipients/<public_id>/evidence.zip")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def evidence_of(public_id: str) -> Response:
    """Everything that proves what they were shown and chose, in one zip, written as it is read."""
    found, now = existing(public_id), utc_now()
    with transaction() as session:
        record_audit(session, staff_id(), AuditAction.EVIDENCE_EXPORTED, target_of(found), now=now)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer has been sent
    with snapshot() as session:
        write_evidence_pack(session, file, found, speaks=receipt_language(), now=now)
    file.seek(0)
    return _download(_sent(file), f"evidence-{format_recipient_id(found.id)}.zip", "application/zip")


@blueprint.get("/recipients/<public_id>/receipts/<int:entry>.jsonld")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def receipt_of(public_id: str, entry: int) -> Response:
    """The receipt of one act, with its proof once it is sealed; 404 for an act of somebody else."""
    found = existing(public_id)
    with audited_read(AuditAction.EVIDENCE_EXPORTED, target_of(found), entry=entry) as session:
        receipt = make_receipt(session, found, entry, speaks=receipt_language(), now=utc_now())
        proof = proof_of(session, found.id, entry)
        if receipt is None or proof is None:
            abort(404)
    content = as_dpv(replace(receipt, proof=proof if proof["sealed"] else None))
    return _download(as_file(content), f"receipt-{entry}.jsonld", "application/ld+json")


def _download(body: Iterator[bytes] | bytes, name: str, mimetype: str) -> Response:
    return FlaskResponse(body, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(64 * 1024):
            yield chunk
