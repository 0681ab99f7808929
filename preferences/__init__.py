"""The preference centre and unsubscribe service: one small core that decides and records, and many edges."""
