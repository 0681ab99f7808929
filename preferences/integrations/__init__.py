"""Other people's formats: mail headers, messages, webhooks. No database."""
