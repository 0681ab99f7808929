"""Where each ESP wants the address entered, and what its secrets are called there. docs/esp-events.md has the rest."""

from __future__ import annotations

from flask_babel import lazy_gettext

_ = lazy_gettext

PLACES = {
    "brevo": _("Under Transactional, Settings, Webhook, and once more under Campaigns, Webhooks."),
    "mailersend": _("In the domain's Webhooks; versions 1 and 2 both work."),
    "mailgun": _("Under Send, Sending, Webhooks."),
    "mailjet": _("Under Account, Event notifications (webhooks); single or grouped."),
    "mailomat": _("Under Webhooks."),
    "mailtrap": _("Under Settings, Webhooks; JSON or JSON Lines."),
    "mandrill": _(
        "Under Settings, Webhooks. Enter the address exactly as it stands here: it is part of what is signed."
    ),
    "postal": _("In the mail server's Webhooks."),
    "postmark": _("In the message stream's Webhooks: Bounce, Spam complaint, Subscription change, Delivery."),
    "resend": _("Under Webhooks."),
    "sendgrid": _("Under Settings, Mail Settings, Event Webhook."),
    "ses": _(
        "Let SES publish to an SNS topic, with the original headers. Subscribe the address to the topic, HTTPS, without "
        "raw delivery; the subscription is confirmed by itself."
    ),
    "sparkpost": _("Under Webhooks, with basic authentication or with a custom header."),
    "sweego": _("Under Webhooks."),
    "unisender_go": _("Under Settings, Webhooks."),
}
SECRETS = {
    ("mailersend", "signing_secret"): _("The webhook's signing secret"),
    ("mailgun", "signing_key"): _("The account's HTTP webhook signing key"),
    ("mailomat", "signing_secret"): _("The webhook's secret"),
    ("mailtrap", "signing_secret"): _("The webhook's signature secret"),
    ("mandrill", "webhook_key"): _("The key beside the webhook"),
    ("postal", "public_key"): _("The installation's public key: after p= in “postal default-dkim-record”"),
    ("resend", "signing_secret"): _("The webhook's signing secret, whsec_…"),
    ("sendgrid", "public_key"): _("The verification key of the Signed Event Webhook"),
    ("ses", "topic_arn"): _("The ARN of the SNS topic"),
    ("sweego", "signing_secret"): _("The webhook's secret, in base64"),
    ("unisender_go", "api_key"): _("The API key of the account or project"),
}
SCHEMES = {
    "basic": _("A password in the address, made here"),
    "bearer": _("A token in a header, made here"),
    "signed": _("Its own signature"),
}
