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
        "/me/photos",
        lazy_gettext("Your name and image"),
        lazy_gettext("Whether we may show them, for all trainings or for one."),
    ),
    OwnPage(
        "/me/takedowns",
        lazy_gettext("Remove something published"),
        lazy_gettext("Tell us where, and follow it until it is gone."),
    ),
    OwnPage(
        "/me/history",
        lazy_gettext("History"),
        lazy_gettext("Everything you answered, with the text that was shown."),
    ),
    OwnPage(
        "/me/receipts",
        lazy_gettext("Receipts"),
        lazy_gettext("Of everything you answered, to read or to take along."),
    ),
    OwnPage("/me/why", lazy_gettext("Why did I get this?"), lazy_gettext("The answer for one email.")),
    OwnPage(
        "/me/senders",
        lazy_gettext("Who sends mail"),
        lazy_gettext("The systems that send, and the changes they can read."),
    ),
    OwnPage("/me/copy", lazy_gettext("Take a copy"), lazy_gettext("Everything, to print or to take along.")),
    OwnPage(
        "/me/correct", lazy_gettext("Correct your data"), lazy_gettext("Change what is wrong, add what is missing.")
    ),
    OwnPage("/me/address", lazy_gettext("Change your address"), lazy_gettext("Write to another mailbox from now on.")),
    OwnPage(
        "/me/requests", lazy_gettext("Your requests"), lazy_gettext("Object, ask for something, follow the answer.")
    ),
    OwnPage("/me/restrict", lazy_gettext("Block your data"), lazy_gettext("We keep it and do nothing with it.")),
    OwnPage(
        "/me/storage", lazy_gettext("Withdraw your consent to storage"), lazy_gettext("Then we erase what we store.")
    ),
    OwnPage("/me/erase", lazy_gettext("Erase your data"), lazy_gettext("Everything, at once and for good.")),
)
