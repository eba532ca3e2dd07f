"""What a property is worth on each list, and what its card and the town's own list state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.urls import reverse

from assessment.office.registries import PageScope
from assessment.office.tags import words
from assessment.property.models import StatedValue
from assessment.roll.models import Assessment, AssessmentLine, Exemption, InstrumentLine
from assessment.roll.parameters import abstract_codes
from assessment.roll.rules.accounts import cap_exemptions
from assessment.roll.rules.codes import UnknownCodeError

COMPONENTS = ("land", "building", "other")


@dataclass
class ListValues:
    """One property on one list: appraised by component, and what is assessed, exempt and taxable."""

    title: str
    basis: str
    url: str = ""
    appraised_by: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(COMPONENTS))
    appraised: int | None = 0
    assessed: int | None = 0
    exempt: int | None = 0
    net: int | None = 0
    instruments: int = 0


@dataclass(frozen=True)
class CodeLine:
    """One component of the newest list."""

    code: str
    title: str
    appraised: int
    assessed: int


def values_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Values by list, newest first, then what was stated; the newest list's lines by state code."""
    assessments = list(
        Assessment.objects.filter(town_id=scope.town.code, property_id=property_id)
        .select_related("grand_list")
        .order_by("-grand_list__year", "grand_list__kind")
    )
    lines: dict[UUID, list[AssessmentLine]] = defaultdict(list)
    for line in AssessmentLine.objects.filter(assessment__in=assessments).order_by("line_number"):
        lines[line.assessment_id].append(line)
    granted: dict[UUID, list[int]] = defaultdict(list)
    for exemption in Exemption.objects.filter(assessment__in=assessments):
        granted[exemption.assessment_id].append(exemption.amount)
    changes = _read_changes(property_id, scope) if assessments else {}
    rows = [_on_list(each, lines[each.pk], granted[each.pk], changes, scope) for each in assessments]
    newest = assessments[0] if assessments else None
    return {
        "lists": rows,
        "stated": _stated(property_id, scope),
        "lines": [_code_line(newest.grand_list.kind, line) for line in lines[newest.pk]] if newest else [],
        "lines_title": rows[0].title if rows else "",
    }


def _on_list(
    assessment: Assessment,
    lines: Sequence[AssessmentLine],
    granted: Sequence[int],
    changes: Mapping[tuple[UUID, str], int],
    scope: PageScope,
) -> ListValues:
    grand_list = assessment.grand_list
    row = ListValues(
        title=f"{grand_list.year} {grand_list.get_kind_display().lower()}",
        basis="as signed" if grand_list.is_signed else "working list",
        url=reverse("grand-list", kwargs={"town": scope.town.slug, "grand_list_id": grand_list.pk}),
    )
    for line in lines:
        part = _component(grand_list.kind, line.detail_code)
        row.appraised_by[part] = _plus(row.appraised_by[part], line.appraised)
    gross = sum(line.assessed for line in lines)
    exempt = gross if assessment.exempt_code else sum(cap_exemptions(gross, granted))
    more = {
        section: changes.get((grand_list.pk, section), 0)
        for section in ("assessed", "exemption", "exempt_property")
    }
    row.appraised = sum(line.appraised for line in lines)
    row.assessed, row.exempt = gross, exempt
    row.instruments = more["assessed"] - more["exemption"]
    row.net = gross - exempt + row.instruments
    return row


def _read_changes(property_id: UUID, scope: PageScope) -> dict[tuple[UUID, str], int]:
    """Sum what instruments changed, by list and section."""
    rows = (
        InstrumentLine.objects.filter(town_id=scope.town.code, instrument__property_id=property_id)
        .values_list("instrument__grand_list_id", "section")
        .annotate(change=Sum("amount_change"))
    )
    return {(list_id, section): change for list_id, section, change in rows}


def _stated(property_id: UUID, scope: PageScope) -> list[ListValues]:
    """Return the values as the card or the town's own list stated them, newest first."""
    found: dict[tuple[int, str], ListValues] = {}
    rows = StatedValue.objects.filter(town_id=scope.town.code, property_id=property_id)
    for each in rows.order_by("-list_year", "basis", "component"):
        key = (each.list_year, each.basis)
        row = found.setdefault(
            key,
            ListValues(
                f"{each.list_year} as stated",
                words(each.basis),
                appraised=None,
                assessed=None,
                exempt=None,
                net=None,
            ),
        )
        if each.component == "total":
            # Sorted last: a stated total stands over the sum of its parts.
            row.appraised = each.appraised if each.appraised is not None else row.appraised
            row.assessed = each.assessed if each.assessed is not None else row.assessed
        elif each.component == "exemption":
            row.exempt = (row.exempt or 0) + (each.assessed or 0)
        elif each.component == "net":
            row.net = each.assessed
        else:
            part = each.component if each.component in COMPONENTS else "other"
            row.appraised_by[part] = _plus(row.appraised_by[part], each.appraised)
            row.appraised = _plus(row.appraised, each.appraised)
            row.assessed = _plus(row.assessed, each.assessed)
    return list(found.values())


def _plus(total: int | None, part: int | None) -> int | None:
    return total if part is None else (total or 0) + part


def _component(kind: str, code: str) -> str:
    try:
        component = abstract_codes().detail(kind, code).component
    except UnknownCodeError:
        return "other"
    return component if component in COMPONENTS else "other"


def _code_line(kind: str, line: AssessmentLine) -> CodeLine:
    try:
        title = abstract_codes().detail(kind, line.detail_code).label
    except UnknownCodeError:
        title = ""
    return CodeLine(line.detail_code, title, line.appraised, line.assessed)
