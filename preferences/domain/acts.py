"""The closed vocabulary of the ledger: what was done, how, and by whom."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What a ledger entry records. «Unsubscribe» is a channel's verb and becomes one of these."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    OBJECTION_LIFTED = "objection_lifted"
    PAUSED = "paused"
    RESUMED = "resumed"
    REVOKED = "revoked"


STOPS = frozenset({Act.REFUSED, Act.WITHDRAWN, Act.OBJECTED, Act.REVOKED})
"""Acts after which nothing may happen for the purpose until a newer grant."""

GRANTS = frozenset({Act.GIVEN, Act.OBJECTION_LIFTED})
"""Acts that may allow something. A link in a mail can never record one at once (T11)."""

PAUSES = frozenset({Act.PAUSED, Act.RESUMED})
"""Acts on the pause, which lies beside the permission and never replaces it (D7)."""

REDUCTIONS = STOPS | {Act.PAUSED}
"""Acts that only ever reduce what is done to the person."""


class Method(StrEnum):
    """The way an act reached us."""

    ONE_CLICK = "one_click"
    UNSUBSCRIBE_PAGE = "unsubscribe_page"
    PREFERENCE_PAGE = "preference_page"
    MAILTO = "mailto"
    DOUBLE_OPT_IN = "double_opt_in"
    IMPORT = "import"
    API = "api"
    STAFF = "staff"
    ESP = "esp"


class Actor(StrEnum):
    """Who did it. Everyone but the recipient is named by an id beside it."""

    RECIPIENT = "recipient"
    MAILER = "mailer"
    STAFF = "staff"
    ESP = "esp"
    SYSTEM = "system"
