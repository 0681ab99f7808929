"""Whether the database has the schema that the code expects."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def applied_revisions(session: Session) -> frozenset[str]:
    """The migrations the schema stands at. Raises DBAPIError where there are no tables yet."""
    return frozenset(session.scalars(text("SELECT version_num FROM alembic_version")))
