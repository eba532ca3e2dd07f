"""What every answer of the field API carries in its headers, whatever it is about, refusals included."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from assessment.region.connections import CLOSE
from fieldsync.devices.pacing import PUSH_SLOTS, current_hints
from fieldsync.devices.pacing_rules import spell_hints

_FIELD = "/api/field/"


class FieldAnswersMiddleware:
    """Add ``Field-Hints``, and what the office has decided about the device as far as it is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(_FIELD):
            response["Field-Hints"] = spell_hints(current_hints())
            if PUSH_SLOTS.was_loaded:
                # The tablet comes back to whichever process is free; read by assessment.project.wsgi.
                request.META[CLOSE] = True
            for name, value in getattr(request, "device_notice", {}).items():
                response[name] = value
        return response
