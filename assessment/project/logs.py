"""Structured logs: one JSON object a line, with the request's id, and never a secret or a person's data."""

from __future__ import annotations

import logging
from typing import Any

import structlog


def configure(options: dict[str, Any]) -> None:
    """Set up structlog and the standard library's logging; called by Django with ``LOGGING``."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if options.get("format", "json") == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(options.get("level", "INFO"))
    # Libraries that tell of every request, and kombu, which misses a host name in a folder.
    for name, level in (("axes", "WARNING"), ("httpx", "WARNING"), ("kombu.connection", "ERROR")):
        logging.getLogger(name).setLevel(level)
