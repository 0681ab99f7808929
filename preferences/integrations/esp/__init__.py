"""Events of ESPs: one file a provider, and one row here. `docs/adding-an-esp.md` walks through both."""

from __future__ import annotations

from .base import Provider
from .mailgun import MAILGUN
from .postmark import POSTMARK
from .sendgrid import SENDGRID
from .ses import SES

PROVIDERS: dict[str, Provider] = {
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "sendgrid": SENDGRID,
    "ses": SES,
}
"""By the name in `/hooks/esp/<provider>/<mailer>`."""
