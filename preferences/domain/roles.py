"""Who on the staff may do what: one table of data. Pages declare the permission they need; roles are nothing but rows here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is trusted with, least first."""

    VIEWER = "viewer"
    """Sees how things stand; addresses are masked."""
    MARKETER = "marketer"
    """The daily work: purposes, texts, trainings, imports, choices on behalf of people."""
    PRIVACY_OFFICER = "privacy_officer"
    """Answers requests, erases, exports, reads the audit; can prove everything and sends nothing."""
    ADMINISTRATOR = "administrator"
    """Everything, staff and settings among it."""


class Permission(StrEnum):
    """One area of capability. A page needs exactly one; what it shows or offers beyond that asks `may(...)`."""

    BE_STAFF = "be_staff"
    """What everybody signed in may do: Today, their own account."""
    SEE_RECIPIENTS = "see_recipients"
    """Find recipients and see their choices and history, addresses masked."""
    SEE_ADDRESSES = "see_addresses"
    """See addresses and profiles in clear, wherever they stand."""
    ACT_ON_BEHALF = "act_on_behalf"
    SEE_PURPOSES = "see_purposes"
    EDIT_PURPOSES = "edit_purposes"
    PUBLISH_TEXTS = "publish_texts"
    SEE_TRAININGS = "see_trainings"
    MANAGE_TRAININGS = "manage_trainings"
    HANDLE_REQUESTS = "handle_requests"
    HANDLE_TAKEDOWNS = "handle_takedowns"
    ERASE_RECIPIENTS = "erase_recipients"
    RUN_IMPORTS = "run_imports"
    EXPORT_DATA = "export_data"
    SEE_NUMBERS = "see_numbers"
    SEE_MAILERS = "see_mailers"
    MANAGE_MAILERS = "manage_mailers"
    MANAGE_STAFF = "manage_staff"
    SEE_AUDIT = "see_audit"
    SEE_SETTINGS = "see_settings"
    RUN_RETENTION = "run_retention"
    PUBLISH_POLICY = "publish_policy"


_VIEWER = frozenset(
    {
        Permission.BE_STAFF,
        Permission.SEE_RECIPIENTS,
        Permission.SEE_PURPOSES,
        Permission.SEE_TRAININGS,
        Permission.SEE_NUMBERS,
        Permission.SEE_MAILERS,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.MARKETER: _VIEWER
    | {
        Permission.SEE_ADDRESSES,
        Permission.ACT_ON_BEHALF,
        Permission.EDIT_PURPOSES,
        Permission.PUBLISH_TEXTS,
        Permission.MANAGE_TRAININGS,
        Permission.HANDLE_TAKEDOWNS,
        Permission.RUN_IMPORTS,
    },
    Role.PRIVACY_OFFICER: _VIEWER
    | {
        Permission.SEE_ADDRESSES,
        Permission.ACT_ON_BEHALF,
        Permission.PUBLISH_TEXTS,
        Permission.HANDLE_REQUESTS,
        Permission.HANDLE_TAKEDOWNS,
        Permission.ERASE_RECIPIENTS,
        Permission.EXPORT_DATA,
        Permission.SEE_AUDIT,
        Permission.SEE_SETTINGS,
        Permission.RUN_RETENTION,
        Permission.PUBLISH_POLICY,
    },
    Role.ADMINISTRATOR: frozenset(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether somebody in this role has this permission."""
    return permission in PERMISSIONS[role]
