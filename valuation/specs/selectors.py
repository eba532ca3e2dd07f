"""Which version of a model a town has adopted."""

from __future__ import annotations

from valuation.specs.models import ModelSpec, SpecAdoption


def find_adopted_spec(town_code: int, list_year: int) -> ModelSpec | None:
    """Return the version that a town adopted for a list year."""
    adoption = (
        SpecAdoption.objects.filter(town_id=town_code, list_year=list_year).select_related("spec").first()
    )
    return adoption.spec if adoption else None
