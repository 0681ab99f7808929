"""Changes stored rows as somebody would who has the database itself: past triggers and constraints."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


def tamper(session: Session, *statements: str, **parameters: Any) -> None:
    """Run statements with the guards of the database taken away, and put them back. Committed."""
    session.commit()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))
        _run(session, statements, parameters)
        session.commit()
        return
    triggers = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in triggers:
        session.execute(text(f"DROP TRIGGER {name}"))
    _run(session, statements, parameters)
    for _, sql in triggers:
        session.connection().exec_driver_sql(sql)
    session.commit()


def _run(session: Session, statements: tuple[str, ...], parameters: dict[str, Any]) -> None:
    for statement in statements:
        wanted = {name: value for name, value in parameters.items() if f":{name}" in statement}
        session.execute(text(statement), wanted)
