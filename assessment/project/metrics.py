"""What Prometheus reads at `/metrics`, and the middleware that counts and logs each request.

Routes are named by their pattern, never by the address asked for: an address may name a person.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Iterable

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from assessment.jobs import selectors
from assessment.region.actors import Actor
from assessment.region.addresses import read_address
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.watching import collect_figures

log = structlog.get_logger("assessment.requests")

REQUESTS = Counter("grandlist_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "grandlist_request_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNCOUNTED = ("/healthz", "/metrics", "/static/")


class RequestMetricsMiddleware:
    """Count, time and log each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(_UNCOUNTED):
            return self.get_response(request)
        begun = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - begun
        method = request.method if request.method in _METHODS else "other"
        route = request.resolver_match.route if request.resolver_match else "none"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(seconds)
        log.info(
            "request",
            method=method,
            route=route,
            status=response.status_code,
            duration_ms=round(seconds * 1000, 1),
        )
        return response


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format, to the networks that may read it; to others there is no such page."""
    if not _may_read(request):
        raise Http404
    registry = _registry()
    registry.register(_OpenJobs())
    registry.register(_RegisteredFigures())
    text = generate_latest(registry)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    # Behind a proxy everybody comes from the proxy's address: it must not pass this page on.
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded")):
        return False
    address = read_address(request.META.get("REMOTE_ADDR", ""))
    return address is not None and any(
        address in ipaddress.ip_network(network) for network in settings.METRICS_ALLOWED_NETWORKS
    )


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return registry


class _OpenJobs(Collector):
    """Counted when asked for, from the rows; a gauge kept by each worker would only know its own."""

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("grandlist_jobs_open", "Jobs that wait or run", labels=["state"])
        try:
            with scope(Actor.system("metrics"), read_only=Town.objects.values_list("code", flat=True)):
                for state, count in selectors.count_open_jobs().items():
                    family.add_metric([state], count)
        except DatabaseError:
            # The other figures matter most when the database is away.
            log.warning("no count of open jobs: the database does not answer")
        yield family


class _RegisteredFigures(Collector):
    """What the apps have registered, read from the rows."""

    def collect(self) -> Iterable[Metric]:
        try:
            with scope(Actor.system("metrics"), read_only=Town.objects.values_list("code", flat=True)):
                return collect_figures(timezone.now())
        except DatabaseError:
            log.warning("no figures of the apps: the database does not answer")
            return []
