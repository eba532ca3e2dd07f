"""Sales: what the files say, what the machine suggests, and what a person decides."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessment.office.pages.base import RowPage, crumbs, read_page_number, town_page
from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.region.errors import NotFound
from assessment.sales.models import Transfer
from assessment.sales.rules.matching import Reason
from assessment.sales.rules.screening import CHANGES, MEASURES
from assessment.sales.rules.validity import Validity
from assessment.sales.selectors import get_transfer, list_findings, list_transfers
from assessment.sales.services.decisions import decide_validity, withdraw_decision
from assessment.sales.services.screening import screen_sales

PAGE_SIZE = 50
FINDINGS = {"any": "any, and not decided", **MEASURES, **CHANGES}


@town_page("view")
def sale_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's transfers, newest first."""
    number = read_page_number(request)
    validity, reason = request.GET.get("validity", ""), request.GET.get("unmatched", "")
    finding = request.GET.get("finding", "")
    rows, count = list_transfers(
        scope.town.code,
        validities=[validity] if validity in set(Validity) else [],
        match_reason=reason if reason in set(Reason) else "",
        finding=finding if finding in FINDINGS else "",
        limit=PAGE_SIZE,
        offset=(number - 1) * PAGE_SIZE,
    )
    values = {
        "nav": "sales",
        "page": RowPage(rows, number, has_next=number * PAGE_SIZE < count, count=count, size=PAGE_SIZE),
        "validities": [(each.value, words(each.value)) for each in Validity],
        "reasons": [(each.value, words(each.value.replace("-", " "))) for each in Reason],
        "validity": validity,
        "unmatched": reason,
        "finding": finding,
        "findings": FINDINGS.items(),
        "may_decide": scope.may("decide_sales"),
        "crumbs": crumbs(scope, "Sales"),
    }
    return render(request, "office/sales.html", values)


@town_page("view")
def sale(request: HttpRequest, scope: PageScope, transfer_id: UUID) -> HttpResponse:
    """Show one transfer with the machine's suggestion and the person's decision."""
    found = _get(transfer_id, scope)
    trail = (
        ("Sales", reverse("sale-list", kwargs={"town": scope.town.slug})),
        found.address or found.serial_number,
    )
    values = {
        "nav": "sales",
        "sale": found,
        "validities": [(each.value, words(each.value)) for each in Validity],
        "findings": list_findings(found.id),
        "may_decide": scope.may("decide_sales"),
        "crumbs": crumbs(scope, *trail),
    }
    return render(request, "office/sale.html", values)


@town_page("decide_sales", methods=("POST",))
def decide(request: HttpRequest, scope: PageScope, transfer_id: UUID) -> HttpResponse:
    """Decide what the sale may be used for, with a reason; or take the decision back."""
    found = _get(transfer_id, scope)
    validity, reason = request.POST.get("validity", ""), request.POST.get("reason", "")
    if validity == "withdraw":
        withdraw_decision(found.id, actor=scope.actor, reason=reason or "decision withdrawn")
        messages.success(request, "The suggestion holds again.")
    else:
        decide_validity(
            found.id, actor=scope.actor, validity=validity, reason=reason, decided_at=timezone.now()
        )
        messages.success(request, "The decision is kept.")
    return redirect("sale", town=scope.town.slug, transfer_id=transfer_id)


@town_page("decide_sales", methods=("POST",))
def screen(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """Screen the town's sales again."""
    found = screen_sales(scope.town.code, actor=scope.actor, now=timezone.now())
    count = len({each.key for each in found})
    messages.success(request, f"{count:,} sales are out of line with others or with the record.")
    return redirect(f"{reverse('sale-list', kwargs={'town': scope.town.slug})}?finding=any")


def _get(transfer_id: UUID, scope: PageScope) -> Transfer:
    found = get_transfer(transfer_id)
    if found.town_id != scope.town.code:
        raise NotFound
    return found
