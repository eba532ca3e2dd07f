"""Grand lists: where each stands, what it totals, its bridge, signing, verifying and files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from assessment.jobs.services import start_job
from assessment.office import tasks
from assessment.office.abstract import (
    list_classes,
    list_exempt,
    make_bridge,
    read_signed_abstract,
    read_working_abstract,
)
from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.office.roll_year import steps_of
from assessment.property.blobs import open_blob
from assessment.region.errors import Invalid, NotFound
from assessment.region.models import Person
from assessment.roll.models import Certification, GrandList, Instrument
from assessment.roll.rules.profiles import PROFILES
from assessment.roll.selectors import get_certification, list_grand_lists
from assessment.roll.services.balancing import find_last_run
from assessment.roll.services.exporting import BASES


@town_page("view")
def grand_lists(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's lists, newest first."""
    certified = {
        each.grand_list_id: each
        for each in Certification.objects.filter(town_id=scope.town.code).defer("statement", "checkpoints")
    }
    rows = [
        {"list": each, "url": _url("grand-list", scope, each), "certification": certified.get(each.pk)}
        for each in list_grand_lists(scope.town.code)
    ]
    return render(
        request,
        "office/grand_lists.html",
        {"nav": "lists", "rows": rows, "crumbs": crumbs(scope, "Grand lists")},
    )


@town_page("view")
def grand_list(request: HttpRequest, scope: PageScope, grand_list_id: UUID) -> HttpResponse:
    """Show one list."""
    found = _get(grand_list_id, scope)
    certification = get_certification(found) if found.is_signed else None
    abstract = read_signed_abstract(found, certification) if certification else read_working_abstract(found)
    stages, bridge = make_bridge(found, abstract) if certification else ([], [])
    trail = (("Grand lists", reverse("grand-lists", kwargs={"town": scope.town.slug})), str(found))
    values: dict[str, Any] = {
        "nav": "lists",
        "list": found,
        "certification": certification,
        "abstract": abstract,
        "classes": list_classes(abstract, found.kind),
        "exempt": list_exempt(abstract),
        "stages": stages,
        "bridge": bridge,
        "steps": steps_of(found),
        "instruments": Instrument.objects.filter(grand_list=found).order_by("-dated_on", "-number")[:50],
        "balance": find_last_run(found) if found.basis == GrandList.Basis.CONVERSION else None,
        "profiles": [
            name for name, each in PROFILES.items() if each.suppress or scope.may("view_confidential")
        ],
        "bases": BASES.items(),
        "may_sign": not found.is_signed and scope.may("sign_list"),
        "may_export": certification is not None and scope.may("export_list"),
        "crumbs": crumbs(scope, *trail),
    }
    return render(request, "office/grand_list.html", values)


@town_page("view")
def certification_page(request: HttpRequest, scope: PageScope, grand_list_id: UUID) -> HttpResponseBase:
    """Hand over the certification's page as it was signed."""
    found = get_certification(_get(grand_list_id, scope))
    name = f"{scope.town.slug}-{found.grand_list.year}-{found.grand_list.kind}-certification.pdf"
    return FileResponse(open_blob(found.pdf_sha256), as_attachment=True, filename=name)


@town_page("export_list", methods=("POST",))
def export(request: HttpRequest, scope: PageScope, grand_list_id: UUID) -> HttpResponse:
    """Start a job that writes the list's files."""
    found = _get(grand_list_id, scope)
    profile, basis = request.POST.get("profile", ""), request.POST.get("basis", "")
    if profile == "m13":
        return _start(request, scope, tasks.M13, found)
    if profile not in PROFILES or basis not in BASES:
        raise Invalid("Choose for whom, and as of when, the files are.")
    kind = tasks.EXPORT if PROFILES[profile].suppress else tasks.EXPORT_ALL
    return _start(request, scope, kind, found, profile=profile, basis=basis)


@town_page("view", methods=("POST",))
def verify(request: HttpRequest, scope: PageScope, grand_list_id: UUID) -> HttpResponse:
    """Start a job that verifies the signed list."""
    found = _get(grand_list_id, scope)
    return _start(request, scope, tasks.VERIFY, found, root="".join(request.POST.get("root", "").split()))


@town_page("sign_list", methods=("POST",))
def sign(request: HttpRequest, scope: PageScope, grand_list_id: UUID) -> HttpResponse:
    """Start the signing, once the signer has given the password again and taken the oath."""
    found = _get(grand_list_id, scope)
    assert isinstance(request.user, Person)
    known = authenticate(request, username=request.user.email, password=request.POST.get("password", ""))
    if known != request.user:
        messages.error(request, "The password is not right; nothing was signed.")
    elif request.POST.get("sworn") != "yes":
        messages.error(request, "Confirm that the list is complete; nothing was signed.")
    else:
        return _start(request, scope, tasks.SIGN, found)
    return redirect(_url("grand-list", scope, found) + "#sign")


def _start(
    request: HttpRequest, scope: PageScope, kind: str, found: GrandList, **payload: str
) -> HttpResponse:
    # The same work asked for twice is one job.
    key = ":".join([str(found.pk), *payload.values()])[:120]
    job = start_job(
        kind, actor=scope.actor, town=scope.town, payload={"grand_list_id": str(found.pk), **payload}, key=key
    )
    return redirect("job", town=scope.town.slug, job_id=job.id)


def _get(grand_list_id: UUID, scope: PageScope) -> GrandList:
    found = GrandList.objects.filter(town_id=scope.town.code, id=grand_list_id).first()
    if found is None:
        raise NotFound
    return found


def _url(name: str, scope: PageScope, found: GrandList) -> str:
    return reverse(name, kwargs={"town": scope.town.slug, "grand_list_id": found.pk})
