"""Words of the pages about records: what does not fit the seal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from preferences.services.verify_seal import Wrong

_ = lazy_gettext

RECORD_WORDS: dict[str, Mapping[Any, Any]] = {
    "seal_wrong": {
        Wrong.CHANGED: _("Changed after it was sealed, or the text that was shown with it was:"),
        Wrong.REMOVED: _("Sealed, and gone:"),
        Wrong.INSERTED: _("Put in where everything had been sealed already:"),
        Wrong.EVIDENCE: _("The evidence is not the one that was sealed:"),
        Wrong.TREE: _("From here on the sealed hashes do not make the signed root:"),
        Wrong.HEAD: _("Missing, not following the one before, or not signed by our key:"),
    },
}
