"""The pages of own data, in the order of their menu. A page under /me is added here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext


@dataclass(frozen=True, slots=True)
class OwnPage:
    """One entry of the menu."""

    path: str
    title: LazyString


OWN_PAGES = (
    OwnPage("/me", lazy_gettext("Overview")),
    OwnPage("/me/data", lazy_gettext("What we hold")),
    OwnPage("/me/choices", lazy_gettext("Your choices")),
    OwnPage("/me/history", lazy_gettext("History")),
    OwnPage("/me/why", lazy_gettext("Why did I get this?")),
    OwnPage("/me/senders", lazy_gettext("Who sends mail")),
    OwnPage("/me/copy", lazy_gettext("Take a copy")),
)
