"""The way into the admin pages for the browser."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.queries.staff.staff import StaffView
from preferences.services.staff.sessions import begin_session
from preferences.services.staff.staff import change_language
from preferences.web.admin.cookie import COOKIE
from tests.support.staff import make_staff

from .looking import Looker


def enter_admin(session: Session, looker: Looker, role: Role = Role.ADMINISTRATOR) -> StaffView:
    """Sign somebody in, in the language that is looked at."""
    me = make_staff(session, role)
    change_language(session, me.id, looker.locale)
    secret = begin_session(session, me.id, browser="Firefox, Linux", now=datetime.now(UTC)).secret
    session.commit()
    looker.page.context.add_cookies([{"name": COOKIE, "value": secret, "url": f"{looker.url}/admin"}])
    return me
