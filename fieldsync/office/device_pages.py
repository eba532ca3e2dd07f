"""Letting a tablet in, and deciding about one: every step is explained first and needs a reason."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.region.errors import NotFound, Problem
from assessment.region.scope import because
from assessment.region.selectors import list_people
from fieldsync.devices.lifecycle import clear_copy, set_device_state
from fieldsync.devices.models import Device
from fieldsync.devices.selectors import get_device
from fieldsync.devices.services import make_enrolment_code
from fieldsync.office.qr import qr_svg

_State = Device.State


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that may be decided about a tablet, and what it means, in words."""

    key: str
    title: str
    done: str
    meaning: tuple[str, ...]
    state: Device.State | None
    asks_about_data: bool = False


_STILL_TAKEN = "What it still holds is taken when it is sent, and waits in quarantine for a person."
STEPS = {
    step.key: step
    for step in (
        Step(
            "suspend", "Suspend", "is suspended",
            ("It gets no packages, changes or people until it is resumed.", _STILL_TAKEN),
            _State.SUSPENDED, asks_about_data=True,
        ),
        Step(
            "resume", "Resume", "works again",
            ("It works as before. What waits in quarantine stays there until somebody decides.",),
            _State.ACTIVE,
        ),
        Step(
            "revoke", "Revoke", "is revoked",
            ("This cannot be taken back: to use the tablet again, enrol it with a new code.", _STILL_TAKEN),
            _State.REVOKED, asks_about_data=True,
        ),
        Step(
            "not-a-copy", "Clear the suspicion", "is no longer suspected",
            (
                "It used one number for two different changes: two tablets may have shared its identity, as after "
                "a copy of its storage. Both changes are kept; the second waits in quarantine.",
                "Clear this only when you know which tablet is the real one, and the other is enrolled anew.",
            ),
            None,
        ),
    )
}  # fmt: skip


def steps_for(device: Device) -> list[Step]:
    """Return what may be decided about a tablet as it stands."""
    by_state = {
        _State.ACTIVE: ["suspend", "revoke"],
        _State.SUSPENDED: ["resume", "suspend", "revoke"],
        _State.REVOKED: ["revoke"],
    }
    keys = list(by_state[Device.State(device.state)])
    if device.copied_at is not None:
        keys.append("not-a-copy")
    return [STEPS[key] for key in keys]


@never_cache
@town_page("manage_devices", methods=("POST",))
def code_make(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Make an enrolment code and show it, as text and as a QR code, this once."""
    label = request.POST.get("label", "").strip()[:80]
    people = {
        str(person.id): person.id for person, _ in list_people(scope.town.code, on=timezone.localdate())
    }
    person_id = people.get(request.POST.get("person", ""))
    code = make_enrolment_code(scope.town.code, actor=scope.actor, label=label, person_id=person_id)
    # Behind the # it stays in the tablet's browser: it is in no log of a server or proxy.
    address = request.build_absolute_uri(f"/field/#enrol={code}")
    values = {
        "nav": "field",
        "tab": "devices",
        "crumbs": crumbs(
            scope, ("Field", _url(scope, "field-packages")), ("Tablets", _url(scope, "field-devices")), "Code"
        ),
        "code": code,
        "label": label,
        "svg": qr_svg(address, title="QR code to enrol the tablet"),
    }
    return render(request, "fieldsync/code.html", values)


@town_page("manage_devices")
def device_step(request: HttpRequest, scope: PageScope, device_id: UUID) -> HttpResponse:
    """Explain what a step means for this tablet, and ask for the reason."""
    device = get_device(device_id)
    step = STEPS.get(request.GET.get("step", ""))
    if step is None or step not in steps_for(device):
        return redirect(_url(scope, "field-device", device))
    trail = (("Tablets", _url(scope, "field-devices")), (device.name, _url(scope, "field-device", device)))
    values = {
        "nav": "field",
        "tab": "devices",
        "crumbs": crumbs(scope, ("Field", _url(scope, "field-packages")), *trail, step.title),
        "device": device,
        "step": step,
        "wipes": Device.Wipe.choices,
        "pending": device.queue.get("pending") or 0,
        "photos": device.queue.get("photos") or 0,
    }
    return render(request, "fieldsync/device_step.html", values)


@town_page("manage_devices", methods=("POST",))
def device_state(request: HttpRequest, scope: PageScope, device_id: UUID) -> HttpResponse:
    """Take a step with a tablet, when it was confirmed and a reason given."""
    device = get_device(device_id)
    step = STEPS.get(request.POST.get("step", ""))
    if step is None:
        raise NotFound
    reason = request.POST.get("reason", "").strip()
    if not reason or request.POST.get("confirmed") != "yes":
        messages.error(
            request, "Nothing was changed. Give the reason, which stays with the tablet, and confirm."
        )
        return redirect(f"{_url(scope, 'field-device-step', device)}?step={step.key}")
    wipe = request.POST.get("wipe") or Device.Wipe.NONE
    try:
        with because(reason):
            if step.state is None:
                clear_copy(device.id, actor=scope.actor, reason=reason)
            else:
                chosen = Device.Wipe(wipe) if wipe in Device.Wipe.values else Device.Wipe.NONE
                set_device_state(device.id, step.state, actor=scope.actor, reason=reason, wipe=chosen)
        messages.success(request, f"{device.name} {step.done}.")
    except Problem as problem:
        messages.error(request, problem.detail)
    return redirect(_url(scope, "field-device", device))


def _url(scope: PageScope, name: str, device: Device | None = None) -> str:
    more = {"device_id": device.id} if device else {}
    return reverse(name, kwargs={"town": scope.town.slug, **more})
