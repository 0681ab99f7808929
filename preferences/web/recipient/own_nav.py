"""The pages of own data, in the order of their menu. A page under /me is added here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext


@dataclass(frozen=True, slots=True)
class OwnPage:
    """One entry of the menu, with the line that the overview says about it."""

    path: str
    title: LazyString
    about: LazyString


OWN_PAGES = (
    OwnPage("/me/data", lazy_gettext("What we hold"), lazy_gettext("Your data, and where we got it.")),
    OwnPage(
        "/me/choices", lazy_gettext("Your choices"), lazy_gettext("What we may do, what that rests on, and since when.")
    ),
    OwnPage(
        "/me/history",
        lazy_gettext("History"),
        lazy_gettext("Everything you answered, with the words that stood there."),
    ),
    OwnPage("/me/why", lazy_gettext("Why did I get this?"), lazy_gettext("The answer for one email.")),
    OwnPage(
        "/me/senders",
        lazy_gettext("Who sends mail"),
        lazy_gettext("The systems that send, and the changes they can read."),
    ),
    OwnPage("/me/copy", lazy_gettext("Take a copy"), lazy_gettext("Everything, to print or to take along.")),
)
