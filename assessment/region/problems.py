"""The one translator from exceptions to RFC 9457 problem documents."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from prometheus_client import Counter

from assessment.region.errors import Problem

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"
PROBLEMS = Counter("grandlist_problems_total", "Problems answered, by code", ["code"])


def make_problem_document(problem: Problem, *, instance: str = "", request_id: str = "") -> dict[str, Any]:
    """Return the members of the problem document."""
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    if instance:
        document["instance"] = instance
    if request_id:
        document["request_id"] = request_id
    return {**problem.data, **document}


def problem_response(problem: Problem, *, instance: str = "", request_id: str = "") -> HttpResponse:
    """Return the HTTP answer for ``problem``."""
    PROBLEMS.labels(problem.code).inc()
    document = make_problem_document(problem, instance=instance, request_id=request_id)
    response = HttpResponse(
        json.dumps(document, cls=DjangoJSONEncoder), content_type=CONTENT_TYPE, status=problem.status
    )
    for header, value in getattr(problem, "headers", {}).items():
        response[header] = value
    return response


def problem_from_status(status: int, detail: str = "") -> Problem:
    """Return a problem for a bare HTTP status, as frameworks raise them."""
    phrase = HTTPStatus(status).phrase
    kind = type(
        "HttpProblem",
        (Problem,),
        {"code": phrase.lower().replace(" ", "-"), "title": phrase, "status": status},
    )
    problem: Problem = kind(detail)
    return problem
