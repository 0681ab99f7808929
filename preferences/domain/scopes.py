"""What an API key may do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One scope per family of calls; a key carries the few it needs."""

    RECIPIENTS_READ = "recipients:read"
    RECIPIENTS_WRITE = "recipients:write"
    LINKS = "links"
    ELIGIBILITY = "eligibility"
    CHOICES_WRITE = "choices:write"
    SUPPRESSIONS_READ = "suppressions:read"
    IMPORTS = "imports"
    CHANGES_READ = "changes:read"
    ENDPOINTS = "endpoints"
    PHOTOS_READ = "photos:read"
    HEADER_CHECK = "header-check"
