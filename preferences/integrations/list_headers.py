"""The headers that let a mailbox provider unsubscribe a person with one click (RFC 8058, 2369, 2919). Nothing else writes them.

`List-Unsubscribe` holds the https address first, then the mailto (M5); `List-Unsubscribe-Post` the exact pair of RFC 8058
(M1); `List-Id` the purpose, so that a provider's complaint statistics and a person's filters tell purposes apart.
Values are one line of printable ASCII: whoever sets them must neither encode nor fold them (T8, T9).
"""

from __future__ import annotations

import re

from preferences.config import Environment
from preferences.domain.errors import InvalidValue

LIST_UNSUBSCRIBE = "List-Unsubscribe"
LIST_UNSUBSCRIBE_POST = "List-Unsubscribe-Post"
LIST_ID = "List-Id"
ONE_CLICK = "List-Unsubscribe=One-Click"

MAX_LINE_CHARACTERS = 998
"""RFC 5322 §2.1.1, without the line end; the header's name counts."""
MAX_LOCAL_PART_CHARACTERS = 63
"""One below RFC 5321's 64: Outlook.com is known to cut (M10)."""

# Printable ASCII without space, `"`, `<`, `>`, backslash, ^, `, {|} and without comma: SnappyMail splits on every comma.
_URL = re.compile(r"(?P<scheme>https?)://[A-Za-z0-9.\-\[\]:]+(?:/[!#-+\--;=?-\[\]_a-z~]*)?", re.ASCII)
_MAILBOX = re.compile(r"(?P<local>[a-z0-9](?:[a-z0-9._+-]*[a-z0-9])?)@[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII)
_LIST_ID = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.ASCII)


class UnusableListHeader(InvalidValue):
    """A part that would make a header a mail client ignores or misreads: no header at all is better."""

    code = "unusable_list_header"
    title = "The unsubscribe headers cannot be made"


def list_id_of(purpose_key: str, domain: str) -> str:
    """The list identifier of a purpose or topic: `product_news.preferences.example` (RFC 2919)."""
    return f"{purpose_key}.{domain}".lower()


def list_headers(
    *, unsubscribe_url: str, mailto: str | None, list_id: str, env: Environment = Environment.PRODUCTION
) -> dict[str, str]:
    """Exactly `List-Unsubscribe`, `List-Unsubscribe-Post` and `List-Id`, ready to set on a message.

    `mailto` is the bare address with the token in its local part, or None where no gateway reads mail. Raises
    UnusableListHeader for anything but printable ASCII, for a comma, a line over 998, and for `http:` outside development.
    """
    _check_url(unsubscribe_url, env)
    if not _LIST_ID.fullmatch(list_id):
        raise UnusableListHeader("A list id is made of letters, digits, `-` and `_`, with a dot between.")
    targets = f"<{unsubscribe_url}>"
    if mailto is not None:
        _check_mailbox(mailto)
        targets += f", <mailto:{mailto}>"
    headers = {LIST_UNSUBSCRIBE: targets, LIST_UNSUBSCRIBE_POST: ONE_CLICK, LIST_ID: f"<{list_id}>"}
    for name, value in headers.items():
        if len(name) + 2 + len(value) > MAX_LINE_CHARACTERS:
            raise UnusableListHeader(f"{name} would be longer than {MAX_LINE_CHARACTERS} characters.")
    return headers


def _check_url(url: str, env: Environment) -> None:
    found = _URL.fullmatch(url)
    if found is None:
        raise UnusableListHeader("The unsubscribe address must be https and hold printable ASCII, without a comma.")
    if found["scheme"] != "https" and env is not Environment.DEVELOPMENT:
        raise UnusableListHeader("The unsubscribe address must be https: RFC 8058 knows no other.")


def _check_mailbox(mailto: str) -> None:
    found = _MAILBOX.fullmatch(mailto)
    if found is None:
        raise UnusableListHeader("The mailto must be one bare address of lower-case ASCII, without scheme or subject.")
    if len(found["local"]) > MAX_LOCAL_PART_CHARACTERS:
        raise UnusableListHeader(f"The mailto's local part is longer than {MAX_LOCAL_PART_CHARACTERS} characters.")
