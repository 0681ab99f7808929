"""The admin pages: what staff work with every day. docs/admin-pages.md says how to add one.

Every module in this folder and its families adds its views to the one blueprint; all are imported below, so that a new page
is a new file.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from flask import Blueprint, Flask

from preferences.domain.recipient_id import format_recipient_id
from preferences.web.admin.words.sources import staff_evidence, staff_source
from preferences.web.admin.words.words import staff_word
from preferences.web.pages import static_address

from .answering import day_in_words, moment_in_words
from .breaks import breakable
from .guard import current_staff, guard, staff_csrf, staff_may
from .identity_provider import sign_on
from .menu import link_to, staff_menu
from .passkeys import passkeys_work
from .tables import in_cards, is_in_cards

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
blueprint.before_request(guard)


def register_admin(app: Flask) -> None:
    """Add the pages and what their templates use."""
    app.jinja_env.filters.update(breakable=breakable, in_cards=in_cards, is_in_cards=is_in_cards)
    app.jinja_env.globals.update(
        current_staff=current_staff,
        sign_on=sign_on,
        staff_may=staff_may,
        staff_csrf=staff_csrf,
        staff_menu=staff_menu,
        link_to=link_to,
        staff_evidence=staff_evidence,
        staff_source=staff_source,
        staff_word=staff_word,
        staff_time=moment_in_words,
        public_id=format_recipient_id,
        staff_date=day_in_words,
        passkeys_work=passkeys_work,
        passkey_script=static_address(app, "js/passkeys.js"),
        admin_style=static_address(app, "css/admin.css"),
        preview_style=static_address(app, "css/preview.css"),
    )
    app.register_blueprint(blueprint)


for _module in walk_packages(__path__, prefix=f"{__name__}."):
    import_module(_module.name)
