"""How receipts speak when the admin pages make them: in the language of whoever asked for them."""

from __future__ import annotations

from preferences.domain.receipt import ReceiptWords
from preferences.queries.choices.history import HistoryEntry
from preferences.services.choices.receipts import ReceiptLanguage, receipt_controller
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings

from .words import staff_word


def receipt_language() -> ReceiptLanguage:
    """Words for codes, and who is responsible."""
    site = settings()
    return ReceiptLanguage(
        controller=receipt_controller(site),
        locale=request_locale(),
        default_locale=site.default_locale,
        words=_words,
        training_in_words=_training,
    )


def _words(entry: HistoryEntry) -> ReceiptWords:
    return ReceiptWords(
        act=staff_word("act", entry.act),
        method=staff_word("method", entry.method),
        basis=staff_word("basis", entry.basis) if entry.basis else "",
    )


def _training(entry: HistoryEntry) -> str:
    return "" if entry.training is None else f"{entry.training.title}, {entry.training.held_on}"
