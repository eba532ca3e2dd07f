"""What each property is proposed to be worth on a list that is being made, whoever proposes it.

The list itself always answers, with what stands on it. An app above that values property registers what it has
concluded and not posted yet, in its ``ready()``; whoever shows proposals needs to know no valuation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum

from assessment.roll.models import Assessment, GrandList


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed value: appraised, whole dollars, and where it comes from; ``note`` is what to look at."""

    value: int
    source: str
    note: str = ""


Proposer = Callable[[int, Sequence[UUID], int], Mapping[UUID, Proposal]]
_proposers: dict[str, tuple[int, Proposer]] = {}


def register_proposer(name: str, proposer: Proposer, *, order: int = 100) -> None:
    """Add who proposes values: ``(town code, property ids, list year)`` to proposals; the lowest order wins.

    It is called inside of a scope that holds the town. The same name again takes its place.
    """
    _proposers[name] = (order, proposer)


def propose_values(town_code: int, property_ids: Sequence[UUID], list_year: int) -> dict[UUID, Proposal]:
    """Return the proposed value of each property for a year's list of real estate, where there is one."""
    found = _on_the_list(town_code, property_ids, list_year, "the list")
    for _, (_, proposer) in sorted(_proposers.items(), key=lambda each: -each[1][0]):
        found |= proposer(town_code, property_ids, list_year)
    return found


def values_before(town_code: int, property_ids: Sequence[UUID], list_year: int) -> dict[UUID, int]:
    """Return what each property is appraised at on the list of the year before."""
    before = _on_the_list(town_code, property_ids, list_year - 1, "")
    return {key: proposal.value for key, proposal in before.items()}


def _on_the_list(
    town_code: int, property_ids: Sequence[UUID], year: int, source: str
) -> dict[UUID, Proposal]:
    rows = (
        Assessment.objects.filter(
            town_id=town_code,
            property_id__in=property_ids,
            grand_list__year=year,
            grand_list__kind=GrandList.Kind.REAL,
        )
        .values_list("property_id")
        .annotate(appraised=Sum("lines__appraised"))
    )
    return {key: Proposal(int(value), source) for key, value in rows if value is not None}
