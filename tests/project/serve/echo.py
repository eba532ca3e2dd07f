"""An application that answers with what it was told of its request, to be served as the product is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

TOLD = ("REMOTE_ADDR", "SCRIPT_NAME", "wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer in JSON."""
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {name: environ.get(name) for name in TOLD}
    return [json.dumps(told | {"processes": settings.WEB_PROCESSES}).encode()]
