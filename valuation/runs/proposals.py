"""What valuation proposes: the newest conclusion of each property for a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from assessment.roll.proposals import Proposal
from valuation.runs.models import Conclusion


def propose_conclusions(
    town_code: int, property_ids: Sequence[UUID], list_year: int
) -> Mapping[UUID, Proposal]:
    """Return the newest conclusion of each property, with what it was flagged for."""
    rows = Conclusion.objects.filter(town_id=town_code, property_id__in=property_ids, list_year=list_year)
    return {
        key: Proposal(value, "valuation", ", ".join(str(flag) for flag in flags)[:200])
        for key, value, flags in rows.order_by("concluded_at", "id").values_list(
            "property_id", "value", "flags"
        )
    }
