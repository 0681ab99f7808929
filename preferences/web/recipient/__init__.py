"""Pages a recipient reaches. The link is the only credential: no cookie, no session, no login (T6).

Every module in this folder and its families adds its views to the one blueprint; all are imported below, so that a new page
is a new file.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from flask import Blueprint

blueprint = Blueprint("recipient", __name__)

for _module in walk_packages(__path__, prefix=f"{__name__}."):
    import_module(_module.name)
