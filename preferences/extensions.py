"""The Flask extensions, unbound: create_app() gives each its application."""

from __future__ import annotations

from flask_alembic import Alembic
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_sqlalchemy import SQLAlchemy

from preferences.models.base import Base

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "autoflush": False})
alembic = Alembic()
babel = Babel()
limiter = Limiter(key_func=get_remote_address, headers_enabled=False)
