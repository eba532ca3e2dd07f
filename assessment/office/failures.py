"""Failures as pages: the same words for what does not exist and for what belongs to another town."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from assessment.region.errors import Problem

_TEXTS = {
    400: ("The request could not be read", "Go back and try again."),
    403: ("Your role does not allow this", "Ask the assessor of the town if you need it for your work."),
    404: (
        "There is no such page or record",
        "The address may be mistyped, or the record may have another one now.",
    ),
    409: (
        "This cannot be done now",
        "The record has changed, or is at another step, since the page was shown.",
    ),
    422: ("Something in the form is not right", "Go back and correct it."),
    429: ("Too many requests", "Wait a minute and try again."),
    500: ("Something went wrong on the server", "Nothing was changed. It has been logged; please try again."),
}


def failure_page(request: HttpRequest, status: int, detail: str = "") -> HttpResponse:
    """Return the page for a failure; ``detail`` is a sentence that may be shown to the person."""
    heading, text = _TEXTS.get(status, _TEXTS[500] if status >= 500 else _TEXTS[400])
    shown = detail if detail != heading else ""
    values = {"heading": heading, "text": text, "detail": shown}
    return render(request, "office/failure.html", values, status=status)


class ProblemPageMiddleware:
    """Answer a `Problem` that a page's service raised with a page instead of a problem document."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Problem) or request.path.startswith("/api/"):
            return None
        return failure_page(request, error.status, "" if error.status == 404 else error.detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure_page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure_page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure_page(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token is missing or old: usually a page left open over night."""
    return failure_page(
        request, 403, "The page was open for too long. Go back, load it again and repeat the step."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Shown when the request may be half broken: no session, no database, no context processors."""
    from django.template.loader import render_to_string

    heading, text = _TEXTS[500]
    return HttpResponse(
        render_to_string("office/server_error.html", {"heading": heading, "text": text}), status=500
    )
