"""What every request passes: an id, a content security policy, and the towns that it may see."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.handlers.exception import response_for_exception
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import NotFound, Problem
from assessment.region.ids import new_id
from assessment.region.models import Person, Town
from assessment.region.problems import CONTENT_TYPE, problem_from_status, problem_response
from assessment.region.scope import scope
from assessment.region.selectors import get_actor

Handler = Callable[[HttpRequest], HttpResponseBase]
_INTERFACES = ("/api/", "/ogc/")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class ScopedRequest(HttpRequest):
    """A request behind `TownScopeMiddleware`: who acts, and the one town of the address, if it names one."""

    actor: Actor
    town: Town | None
    request_id: str


class RequestIdMiddleware:
    """Give each request an id, taken over from a proxy when well-formed; logs and problems carry it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ProblemsOfInterfacesMiddleware:
    """Answer every failure at an interface for programs with a problem document.

    Handlers do so themselves; this is for what never reaches one: an address that is none, a method that
    is not taken, a header that Django refuses.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path.startswith(_INTERFACES):
            return response
        if response.get("Content-Type", "").startswith(CONTENT_TYPE) or request.method == "HEAD":
            return response
        problem = NotFound() if response.status_code == 404 else problem_from_status(response.status_code)
        request_id = getattr(request, "request_id", "")
        answer = problem_response(problem, instance=request.path, request_id=request_id)
        for name in ("Allow", "Retry-After"):
            if name in response:
                answer[name] = response[name]
        return answer


class ContentSecurityPolicyMiddleware:
    """Allow our own origin only; no inline script or style anywhere."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


class SignInMiddleware(LoginRequiredMiddleware):
    """Send whoever is not signed in to the form; the APIs answer with a problem of their own."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Handler,
        view_args: tuple[object, ...],
        view_kwargs: dict[str, object],
    ) -> HttpResponseBase | None:
        if request.path.startswith("/api/"):
            return None
        answer: HttpResponseBase | None = super().process_view(request, view_func, view_args, view_kwargs)
        return answer


class TownScopeMiddleware:
    """Run each request of a signed-in person in one transaction that acts for that person's towns.

    An address with a ``town`` is answered for that town alone; one in which the person holds no role is
    answered exactly as one that does not exist. An answer of 400 and above rolls everything back.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person = getattr(request, "user", None)
        if request.path.startswith(settings.SCOPE_EXEMPT_PREFIXES) or not isinstance(person, Person):
            return self.get_response(request)
        with transaction.atomic():
            actor = get_actor(person, on=timezone.localdate())
            request.actor = actor  # type: ignore[attr-defined]
            try:
                town = self._town_of(request, actor)
            except NotFound as problem:
                return self._not_found(request, problem)
            request.town = town  # type: ignore[attr-defined]
            towns = (town.code,) if town else actor.towns
            request_id = getattr(request, "request_id", "")
            with scope(actor, towns=towns, request_id=request_id):
                response = self.get_response(request)
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response = response.render()  # inside the scope: a template reads the database too
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    @staticmethod
    def _town_of(request: HttpRequest, actor: Actor) -> Town | None:
        try:
            slug = resolve(request.path_info).kwargs.get("town")
        except Resolver404:
            return None
        if slug is None:
            return None
        town = Town.objects.defer("boundary").filter(slug=slug, code__in=actor.towns).first()
        if town is None:
            raise NotFound
        return town

    @staticmethod
    def _not_found(request: HttpRequest, problem: Problem) -> HttpResponse:
        if request.path.startswith("/api/"):
            return problem_response(
                problem, instance=request.path, request_id=getattr(request, "request_id", "")
            )
        return response_for_exception(request, Http404())
