"""One tablet's page, its statements, and the alarms of the field."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope, QueueState
from assessment.region.errors import NotFound
from fieldsync.alarms.rules import Severity
from fieldsync.alarms.selectors import list_alarms, list_disk_alarms
from fieldsync.devices.selectors import get_device, list_events
from fieldsync.office.device_pages import steps_for
from fieldsync.office.device_view import view_device
from fieldsync.reconciliation.models import Statement


@town_page("view")
def device_page(request: HttpRequest, scope: PageScope, device_id: UUID) -> HttpResponse:
    """Show one tablet: how it is, what it sent, what of that still waits."""
    device = get_device(device_id)
    field = ("Field", _url(scope, "field-packages"))
    values = {
        "nav": "field",
        "tab": "devices",
        "crumbs": crumbs(scope, field, ("Tablets", _url(scope, "field-devices")), device.name),
        "view": view_device(device, now=timezone.now()),
        "device": device,
        "may_manage": scope.may("manage_devices"),
        "steps": steps_for(device),
        "events": list_events(device.id),
    }
    return render(request, "fieldsync/device.html", values)


@town_page("view")
def statement_text(_request: HttpRequest, scope: PageScope, statement_id: UUID) -> HttpResponse:
    """Give a statement as it was signed, for `manage.py verify_statement`."""
    statement = Statement.objects.filter(town_id=scope.town.code, id=statement_id).first()
    if statement is None:
        raise NotFound("There is no such statement.")
    response = HttpResponse(f"{statement.token}\n", content_type="text/plain; charset=utf-8")
    day = statement.stated_at.date().isoformat()
    response["Content-Disposition"] = f'attachment; filename="statement-{day}.txt"'
    return response


@town_page("view")
def alarm_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List what somebody should act on, the worst first."""
    values = {
        "nav": "field",
        "tab": "alarms",
        "crumbs": crumbs(scope, ("Field", _url(scope, "field-packages")), "Alarms"),
        "alarms": [*list_disk_alarms(), *list_alarms(now=timezone.now())],
    }
    return render(request, "fieldsync/alarms.html", values)


def alarms_state(scope: PageScope) -> QueueState:
    """Return how many alarms there are, for the town's home."""
    alarms = [*list_disk_alarms(), *list_alarms(now=timezone.now())]
    errors = sum(alarm.kind.severity == Severity.ERROR for alarm in alarms)
    note = f"{errors} need{'s' if errors == 1 else ''} attention today" if errors else ""
    return QueueState(len(alarms), _url(scope, "field-alarms"), note)


def _url(scope: PageScope, name: str) -> str:
    return reverse(name, kwargs={"town": scope.town.slug})
