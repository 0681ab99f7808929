"""Events of ESPs: one file a provider, and one row here. `docs/adding-an-esp.md` walks through both."""

from __future__ import annotations

from .base import Provider
from .brevo import BREVO
from .mailersend import MAILERSEND
from .mailgun import MAILGUN
from .mailjet import MAILJET
from .mailomat import MAILOMAT
from .mailtrap import MAILTRAP
from .mandrill import MANDRILL
from .postal import POSTAL
from .postmark import POSTMARK
from .resend import RESEND
from .sendgrid import SENDGRID
from .ses import SES
from .sparkpost import SPARKPOST
from .sweego import SWEEGO
from .unisender_go import UNISENDER_GO

PROVIDERS: dict[str, Provider] = {
    "brevo": BREVO,
    "mailersend": MAILERSEND,
    "mailgun": MAILGUN,
    "mailjet": MAILJET,
    "mailomat": MAILOMAT,
    "mailtrap": MAILTRAP,
    "mandrill": MANDRILL,
    "postal": POSTAL,
    "postmark": POSTMARK,
    "resend": RESEND,
    "sendgrid": SENDGRID,
    "ses": SES,
    "sparkpost": SPARKPOST,
    "sweego": SWEEGO,
    "unisender_go": UNISENDER_GO,
}
"""By the name in `/hooks/esp/<provider>/<mailer>`."""
