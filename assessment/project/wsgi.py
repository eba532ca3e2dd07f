"""The application that gunicorn serves (WSGI with threads: docs/adr)."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from assessment.property.parameters import merge_tolerances
from assessment.region.connections import CLOSE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
_django = get_wsgi_application()
# Django reads the addresses, and with them every view, at the first request: half a second that the first of
# forty tablets would wait for. So now, before this process takes any.
resolve("/healthz")
merge_tolerances(dt.datetime.now(dt.UTC).date())


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request, and close its connection afterwards where the answer wants that.

    A connection stays with the worker process that took it. Of forty tablets at once one process may have
    had twenty and another eight, and those twenty waited twice as long; a tablet whose connection ends comes
    back to whichever process is free first. WSGI has no way to say so, gunicorn's own object has.
    """

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if environ.get(CLOSE):
            force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
            if force_close is not None:
                force_close()
        return start_response(status, headers, exc_info)

    return _django(environ, start)
