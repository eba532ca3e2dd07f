"""Is everything there that a request or a job needs: `/healthz`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from assessment.project.celery import app
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.watching import count_alarms


def check_database() -> str:
    """Empty when the database answers, else why not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as trouble:
        return f"no answer ({type(trouble).__name__})"
    return ""


def check_broker() -> str:
    """Empty when messages can be sent, else why not."""
    folder = app.conf.broker_transport_options.get("data_folder_in")
    if folder:
        return "" if Path(folder).is_dir() else "its folder is missing"
    try:
        with app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
    except (BrokerError, OSError) as trouble:
        return f"no answer ({type(trouble).__name__})"
    return ""


def check_disk() -> str:
    """Empty when there is room for photos and backups, else how much is left."""
    free_mb = shutil.disk_usage(_existing(Path(settings.VAR_DIR))).free // 1_000_000
    return "" if free_mb >= settings.DISK_RESERVE_MB else f"{free_mb} MB left"


CHECKS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "broker": check_broker,
    "disk": check_disk,
}


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when all is well, 503 otherwise; each part with ``ok`` or the trouble.

    With ``?detail`` also the alarms that apps have registered, counted by code.
    """
    parts = {name: check() or "ok" for name, check in CHECKS.items()}
    well = all(answer == "ok" for answer in parts.values())
    document: dict[str, Any] = {"status": "ok" if well else "trouble", **parts}
    if "detail" in request.GET and parts["database"] == "ok":
        # Alarms are for people; a balancer that takes the server away for one would only make it worse.
        with scope(Actor.system("health"), read_only=Town.objects.values_list("code", flat=True)):
            document["alarms"] = count_alarms(timezone.now())
    response = JsonResponse(document, status=200 if well else 503)
    response["Cache-Control"] = "no-store"
    return response


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
