"""`/me/receipts`: a receipt of every own act, to read, as JSON-LD (ISO/IEC TS 27560 in DPV), and as a Kantara receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from flask import Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from preferences.domain.receipt import Receipt, ReceiptWords
from preferences.domain.receipt_dpv import as_dpv
from preferences.domain.receipt_kantara import as_kantara
from preferences.domain.seal import as_file
from preferences.models.transaction import reading, transaction
from preferences.queries.choices.history import HistoryEntry, history
from preferences.queries.ledger.seal import covering_head
from preferences.services.choices.receipts import (
    ReceiptLanguage,
    ReceiptMail,
    ask_for_receipt,
    make_receipt,
    receipt_asked,
    receipt_controller,
)
from preferences.services.ledger.proofs import proof_of
from preferences.web.access import Access, access
from preferences.web.copy_page import languages
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import settings, utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient

from .words import act_in_words, in_plain_words, on_day

log = structlog.get_logger()

RECEIPTS_A_PAGE = 25
LARGEST_ID = 2**63 - 1
LIMITED = "limited"
"""In the query of the page: the mail was not sent, because many were today."""


@blueprint.get("/me/receipts")
@access(Access.STEP_UP)
def own_receipts() -> str:
    """Every act that there is a receipt of, newest first."""
    before = request.args.get("before", type=int)
    with reading() as session:
        entries = history(session, current_recipient().id, **languages(), before=before, limit=RECEIPTS_A_PAGE + 1)
    return render_template(
        "recipient/own/receipts.html",
        entries=entries[:RECEIPTS_A_PAGE],
        older=entries[RECEIPTS_A_PAGE - 1].id if len(entries) > RECEIPTS_A_PAGE else None,
        before=before,
    )


@blueprint.get("/me/receipts/<int:entry>")
@access(Access.STEP_UP)
def own_receipt(entry: int) -> str:
    """One receipt, to read and print."""
    receipt = _receipt(entry)
    with reading() as session:
        mail = receipt_asked(session, current_recipient().id, entry)
        head = covering_head(session, entry)
    if LIMITED in request.args and mail is ReceiptMail.NOT_ASKED:
        mail = ReceiptMail.LIMITED
    seal = None if head is None else head.signed.head
    return render_template("recipient/own/receipt.html", receipt=receipt, mail=mail, seal=seal)


@blueprint.post("/me/receipts/<int:entry>/mail")
@access(Access.STEP_UP)
def mail_own_receipt(entry: int) -> AnyResponse:
    """Mail the receipt to the address on file, once."""
    _receipt(entry)
    with transaction() as session:
        outcome = ask_for_receipt(session, current_recipient().id, entry, entry, locale=request_locale(), now=utc_now())
    log.info("receipt_asked", outcome=outcome)
    path = keeping_language(f"/me/receipts/{entry}")
    if outcome is ReceiptMail.LIMITED:
        path += f"{'&' if '?' in path else '?'}{LIMITED}=1"
    return redirect(path, code=303)


@blueprint.get("/me/receipts/<int:entry>.jsonld")
@access(Access.STEP_UP)
def own_receipt_dpv(entry: int) -> Response:
    """The receipt in the W3C Data Privacy Vocabulary."""
    receipt = _receipt(entry)
    proof = _proof(entry)
    receipt = replace(receipt, proof=proof if proof["sealed"] else None)
    return _download(as_dpv(receipt), f"receipt-{entry}.jsonld", "application/ld+json")


@blueprint.get("/me/receipts/<int:entry>.kantara.json")
@access(Access.STEP_UP)
def own_receipt_kantara(entry: int) -> Response:
    """The receipt as Kantara's Consent Receipt 1.1."""
    return _download(as_kantara(_receipt(entry)), f"receipt-{entry}.kantara.json", "application/json")


@blueprint.get("/me/receipts/<int:entry>.proof.json")
@access(Access.STEP_UP)
def own_receipt_proof(entry: int) -> Response:
    """The proof that the entry was sealed, which `verify_receipt.py` checks offline; `sealed` is null as long as it waits."""
    return _download(_proof(entry), f"receipt-{entry}.proof.json", "application/json")


def _proof(entry_id: int) -> dict[str, Any]:
    with reading() as session:
        found = proof_of(session, current_recipient().id, entry_id) if entry_id <= LARGEST_ID else None
    if found is None:
        abort(404)
    return found


def _receipt(entry_id: int) -> Receipt:
    """The person's own receipt; 404 for anybody else's, without telling one from the other."""
    speaks = ReceiptLanguage(
        controller=receipt_controller(settings()), words=_words, training_in_words=_training, **languages()
    )
    with reading() as session:
        found = make_receipt(session, current_recipient(), entry_id, speaks=speaks, now=utc_now())
    if found is None:
        abort(404)
    return found


def _words(entry: HistoryEntry) -> ReceiptWords:
    return ReceiptWords(
        act=str(act_in_words(entry)),
        method=str(in_plain_words("method", entry.method)),
        basis=str(in_plain_words("basis", entry.basis)) if entry.basis else "",
    )


def _training(entry: HistoryEntry) -> str:
    return "" if entry.training is None else f"{entry.training.title}, {on_day(entry.training.held_on)}"


def _download(content: dict[str, Any], name: str, mimetype: str) -> Response:
    return Response(
        as_file(content), mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
