"""What is stored: SQLAlchemy 2 models, one file per family, with their constraints in the database."""

from . import (
    idempotency,
    import_batch,
    ledger,
    mailer,
    message,
    outbox,
    photo,
    purpose,
    recipient,
    rights,
    seal,
    sign_up,
    step_up,
    stop_reason,
    suppression,
    training,
    worker_state,
)
from .base import Base

__all__ = [
    "Base",
    "idempotency",
    "import_batch",
    "ledger",
    "mailer",
    "message",
    "outbox",
    "photo",
    "purpose",
    "recipient",
    "rights",
    "seal",
    "sign_up",
    "step_up",
    "stop_reason",
    "suppression",
    "training",
    "worker_state",
]
