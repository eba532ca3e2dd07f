"""The HTTP interfaces: the office's, the tablets' and the GIS tools'. Routers are mounted by dotted string.

Every failure leaves as problem+json through `assessment.region.problems`.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import SessionAuth

from assessment.region.errors import Invalid, NotFound, Problem, SignInNeeded
from assessment.region.maintenance import DatabaseAway
from assessment.region.models import Person
from assessment.region.problems import problem_from_status, problem_response

log = structlog.get_logger(__name__)

# Address below /api/v1: module with a `router`. What belongs to a town stands below TOWN, where
# `TownScopeMiddleware` has set the scope before a handler runs; `region.requests.town_of` tells which it is
# (such a handler declares no `town` of its own).
TOWN = "/towns/{slug:town}"
OFFICE_ROUTERS: dict[str, str] = {
    "": "assessment.region.api",
    f"{TOWN}/jobs": "assessment.jobs.api",
    f"{TOWN}/properties": "assessment.property.api",
    f"{TOWN}/field": "fieldsync.office.api",
    f"{TOWN}/lists": "assessment.roll.api",
    f"{TOWN}/petitions": "assessment.appeals.api",
    f"{TOWN}/income": "valuation.income.api",
    f"{TOWN}/valuation": "valuation.review.api",
}
FIELD_ROUTERS: dict[str, str] = {"": "fieldsync.api"}
OGC_ROUTERS: dict[str, str] = {"": "gis.ogc.api"}


class OfficeSession(SessionAuth):
    """The office's session; the towns are set by `TownScopeMiddleware`."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Person | None:
        person = request.user
        return person if isinstance(person, Person) and hasattr(request, "actor") else None


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    if transaction.get_connection().in_atomic_block:
        transaction.set_rollback(True)
    return problem_response(problem, instance=request.path, request_id=getattr(request, "request_id", ""))


def _install_problem_details(target: NinjaAPI) -> None:
    """Translate everything that a handler, the router or the validation raises."""

    @target.exception_handler(Problem)
    def on_problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return _answer(request, error)

    @target.exception_handler(ValidationError)
    def on_validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
        fields = [
            {"where": ".".join(str(p) for p in e.get("loc", ())), "message": e.get("msg", "")}
            for e in error.errors
        ]
        return _answer(request, Invalid("The request does not have the expected form.", errors=fields))

    @target.exception_handler(AuthenticationError)
    def on_authentication(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return _answer(request, SignInNeeded())

    @target.exception_handler(HttpError)
    def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        return _answer(request, problem_from_status(error.status_code, str(error)))

    @target.exception_handler(Http404)
    def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return _answer(request, NotFound())

    @target.exception_handler(DataError)
    def on_unstorable(request: HttpRequest, error: DataError) -> HttpResponse:
        # Such as a day in a time zone 22 hours off: well-formed JSON that no column can hold.
        log.warning("a value cannot be stored", path=request.path, error=str(error.__cause__)[:200])
        return _answer(request, Invalid("A value is outside of what can be stored."))

    @target.exception_handler(InterfaceError)
    @target.exception_handler(OperationalError)
    def on_database_away(request: HttpRequest, error: Exception) -> HttpResponse:
        log.exception("the database is away", path=request.path)
        return _answer(request, DatabaseAway())

    @target.exception_handler(Exception)
    def on_anything(request: HttpRequest, error: Exception) -> HttpResponse:
        if settings.DEBUG:
            raise error
        log.exception("unhandled error in the API", path=request.path)
        return _answer(request, Problem())


class Interface(NinjaAPI):
    """django-ninja's API, whose document is whole.

    It also names the parameters of a router's own address and the problem documents of every operation,
    and spells tuples as OpenAPI 3.1 does.
    """

    def get_openapi_schema(self, **options: Any) -> Any:
        document = super().get_openapi_schema(**options)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                stated = {parameter["name"] for parameter in operation.get("parameters", [])}
                operation["parameters"] = [
                    *(
                        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
                        for name in re.findall(r"{(?:\w+:)?(\w+)}", path)
                        if name not in stated
                    ),
                    *operation.get("parameters", []),
                ]
                operation["responses"] = {**operation.get("responses", {}), **_PROBLEM_RESPONSES}
        document["components"].setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
        _spell_tuples(document)
        return document


_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457 problem details; docs/problems.md lists every code.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "retry": {"type": "string"},
    },
}
_PROBLEM_RESPONSES = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, description in (("4XX", "Refused"), ("5XX", "Not possible now, or a mistake of the server"))
}


def _spell_tuples(node: Any) -> None:
    """Turn a list of ``items``, which JSON Schema had before 2020, into ``prefixItems``."""
    if isinstance(node, dict):
        if isinstance(node.get("items"), list):
            node["prefixItems"] = node.pop("items")
        for inner in node.values():
            _spell_tuples(inner)
    elif isinstance(node, list):
        for inner in node:
            _spell_tuples(inner)


def _mount(target: NinjaAPI, routers: dict[str, str]) -> None:
    for prefix, module in routers.items():
        target.add_router(prefix, import_module(module).router)


def _make(**options: Any) -> NinjaAPI:
    made = Interface(version="1", **options)
    _install_problem_details(made)
    return made


api = _make(title="Grandlist office API", urls_namespace="office-api", auth=OfficeSession(csrf=True))
field_api = _make(title="Grandlist field API", urls_namespace="field-api")
ogc_api = _make(title="Grandlist OGC API - Features", urls_namespace="ogc-api")
_mount(api, OFFICE_ROUTERS)
_mount(field_api, FIELD_ROUTERS)
_mount(ogc_api, OGC_ROUTERS)
