"""Notice versions as they were shown."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.models.purpose import NoticeTextRow, NoticeVersionRow


def notice_exists(session: Session, *, purpose_id: int, version_id: int, locale: str) -> bool:
    """Whether this purpose has, or had, a notice version with this id in this language: only such can have been shown."""
    found = session.scalar(
        select(NoticeTextRow.notice_version_id)
        .join(NoticeVersionRow, NoticeVersionRow.id == NoticeTextRow.notice_version_id)
        .where(
            NoticeVersionRow.purpose_id == purpose_id,
            NoticeTextRow.notice_version_id == version_id,
            NoticeTextRow.locale == locale,
        )
    )
    return found is not None
