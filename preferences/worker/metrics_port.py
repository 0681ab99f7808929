"""`/metrics` on a port of its own, in the worker's process: a server with one thread is not kept from its work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from flask import Flask
from prometheus_client import start_wsgi_server

from preferences.config import Settings
from preferences.metrics import registry

log = structlog.get_logger()


@contextmanager
def metrics_served(app: Flask, settings: Settings) -> Iterator[int]:
    """Answer on the port of the settings meanwhile. Yields the port; 0: there is none, or another worker here has it."""
    if not settings.metrics_port:
        yield 0
        return
    try:
        server, thread = start_wsgi_server(settings.metrics_port, settings.metrics_host, registry(app))
    except OSError as error:
        log.warning("metrics_port_unavailable", port=settings.metrics_port, kind=type(error).__name__)
        yield 0
        return
    try:
        yield settings.metrics_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
