"""Reading appeals."""

from __future__ import annotations

from uuid import UUID

from assessment.appeals.models import Petition
from assessment.region.errors import NotFound
from assessment.roll.models import GrandList

PAGE = 100


def get_petition(petition_id: UUID) -> Petition:
    """Return a petition of a town in scope; raise `NotFound`."""
    found = Petition.objects.select_related("property", "grand_list").filter(pk=petition_id).first()
    if found is None:
        raise NotFound("There is no such petition.")
    return found


def list_petitions(
    grand_list: GrandList, *, state: str = "", offset: int = 0, limit: int = PAGE
) -> list[Petition]:
    """Return a page of a list's petitions, by number."""
    petitions = Petition.objects.select_related("property").filter(grand_list=grand_list)
    if state:
        petitions = petitions.filter(state=state)
    return list(petitions.order_by("petition_number")[offset : offset + min(limit, PAGE)])
