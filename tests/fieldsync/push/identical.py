"""The same push, sixteen times at the same moment, round after round: equal answers, and one effect each."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from assessment.property.models import Building, JournalEntry, Observation
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A

AT_ONCE = 16


def send_rounds(
    tablet: Tablet, houses: Sequence[tuple[UUID, UUID]], rounds: int
) -> Iterator[list[dict[str, Any]]]:
    """Change the year of one house after the other; yields the sixteen answers of each round.

    Parameters
    ----------
    houses
        Ids of properties and of their buildings.
    """
    tablet.me()
    start = threading.Barrier(AT_ONCE)

    def send(batch: list[dict[str, Any]]) -> dict[str, Any]:
        start.wait()
        (result,) = tablet.push_batch(batch)["results"]
        return dict(result)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(rounds):
            property_id, building_id = houses[number % len(houses)]
            year = 1950 + number // len(houses)
            mutation = tablet.record(
                {
                    "kind": "card.patch", "entity_id": str(property_id),
                    "changes": {f"building/{building_id}/year_built": {"base": year, "new": year + 1}},
                }
            )  # fmt: skip
            yield list(pool.map(send, [[mutation]] * AT_ONCE))


def judge(answers: list[dict[str, Any]]) -> str:
    """Return what is wrong with the answers of a round, or nothing."""
    plain = [{name: value for name, value in each.items() if name != "duplicate"} for each in answers]
    if any(each != plain[0] for each in plain):
        return f"the answers differ: {plain}"
    if plain[0]["status"] != "applied":
        return f"it was {plain[0]}"
    firsts = sum("duplicate" not in each for each in answers)
    return "" if firsts == 1 else f"{firsts} were told that they were the first"


def count_effects(houses: Sequence[tuple[UUID, UUID]]) -> dict[str, int]:
    """Return what all rounds together have done to the record."""
    buildings = [building_id for _, building_id in houses]
    with scope(SYSTEM, towns=[TOWN_A]):
        years = Building.objects.filter(id__in=buildings).values_list("year_built", flat=True)
        return {
            "mutations": Mutation.objects.count(),
            "observations": Observation.objects.filter(target_id__in=buildings).count(),
            "changes": JournalEntry.objects.filter(row_id__in=buildings, operation="U").count(),
            "years": sum((year or 0) - 1950 for year in years),
        }
