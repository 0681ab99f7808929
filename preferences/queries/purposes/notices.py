"""Notice versions as they were shown."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.errors import NotFound
from preferences.domain.purpose import NoticeText
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


def notice_text(session: Session, version_id: int, locales: Sequence[str]) -> NoticeText:
    """The wording of a version in the first of these languages that it has, else in any. Raises NotFound."""
    rows = session.scalars(select(NoticeTextRow).where(NoticeTextRow.notice_version_id == version_id)).all()
    found = {
        row.locale: NoticeText(
            locale=row.locale, title=row.title, what=row.what, why=row.why, who=row.who, how_long=row.how_long
        )
        for row in rows
    }
    if not found:
        raise NotFound("There is no such notice version.")
    return next((found[locale] for locale in locales if locale in found), next(iter(found.values())))
