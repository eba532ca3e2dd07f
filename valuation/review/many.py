"""Deciding many overrides at once, and reading them as a second person does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from assessment.region.actors import Actor
from assessment.region.errors import Problem
from valuation.review.errors import OverrideInvalid, OverrideNotFound
from valuation.review.factors import withdraw_batch
from valuation.review.models import Override
from valuation.review.services import confirm_override, refuse_override, withdraw_override
from valuation.runs.models import Run

ACTIONS = ("confirm", "refuse", "withdraw")

_GROUPS_SQL = """
SELECT coalesce(o.batch::text, o.id::text) AS grouped, min(o.id::text), min(o.batch::text), count(*),
       min(p.address), min(o.conclusion_id::text), sum(o.value_before), sum(o.value_after), min(o.reason_code),
       min(o.note), min(o.proposed_by_name), min(o.proposed_by_id::text), min(o.proposed_at),
       min(o.second_person_because::text)::jsonb, array_agg(DISTINCT o.state)
FROM valuation_override o JOIN assessment_property p ON p.town_id = o.town_id AND p.id = o.property_id
WHERE o.town_id = %(town)s AND o.run_id = %(run)s AND (%(state)s = '' OR o.state = %(state)s)
  AND (NOT %(many)s OR o.batch IS NOT NULL)
GROUP BY 1 ORDER BY min(o.proposed_at) DESC, 1 LIMIT %(limit)s OFFSET %(offset)s
"""


@dataclass(frozen=True)
class Group:
    """Overrides that are decided as one: a single one, or a batch; amounts are sums in dollars."""

    override_id: UUID
    batch: UUID | None
    count: int
    address: str
    conclusion_id: UUID
    before: int
    after: int
    reason_code: str
    note: str
    asked_by: str
    asked_by_id: UUID | None
    asked_at: Any
    because: list[str]
    states: list[str]


def list_groups(
    run: Run, *, state: str = "", only_many: bool = False, limit: int = 50, offset: int = 0
) -> list[Group]:
    """Return a run's overrides, those asked for together as one, newest first.

    Parameters
    ----------
    state
        Only those in this state; the sums of a batch are of them.
    """
    import json

    with connection.cursor() as cursor:
        cursor.execute(
            _GROUPS_SQL,
            {
                "town": run.town_id, "run": run.pk, "state": state, "many": only_many, "limit": limit,
                "offset": offset,
            },
        )  # fmt: skip
        rows = cursor.fetchall()
    return [
        Group(
            UUID(key), UUID(batch) if batch else None, count, address, UUID(conclusion), int(before), int(after),
            reason, note, name, UUID(person) if person else None, at,
            json.loads(because) if isinstance(because, str) else because, states,
        )
        for _, key, batch, count, address, conclusion, before, after, reason, note, name, person, at, because, states
        in rows
    ]  # fmt: skip


def get_batch(batch_id: UUID, *, town_code: int) -> list[Override]:
    """Return the overrides of a batch by address; raise `OverrideNotFound`."""
    rows = Override.objects.filter(batch=batch_id, town_id=town_code).select_related("property")
    found = list(rows.defer("components_before", "components_after", "effect").order_by("property__address"))
    if not found:
        raise OverrideNotFound("There is no such batch of overrides.")
    return found


def decide_batch(batch_id: UUID, *, actor: Actor, action: str, note: str = "") -> int:
    """Agree to a batch as the second person, refuse it, or take it back; returns how many were decided.

    Raises
    ------
    OverrideInvalid
        Another action.
    Problem
        As `confirm_override`, `refuse_override` and `withdraw_batch` say.
    """
    if action == "withdraw":
        return withdraw_batch(batch_id, actor=actor, note=note)
    rows = Override.objects.filter(batch=batch_id)
    # One that waits stands for all; where none does, any tells that the batch was decided.
    key = rows.filter(state=Override.State.WAITING).values_list("id", flat=True).first()
    key = key or rows.values_list("id", flat=True).first()
    if key is None:
        raise OverrideNotFound("There is no such batch of overrides.")
    if action == "confirm":
        return len(confirm_override(key, actor=actor, note=note))
    if action == "refuse":
        return len(refuse_override(key, actor=actor, note=note))
    raise OverrideInvalid("Confirm, refuse or withdraw.")


def decide_overrides(
    override_ids: Iterable[UUID], *, actor: Actor, action: str, note: str = ""
) -> tuple[int, list[str]]:
    """Decide several overrides, each for itself; a batch is decided by any one of its own.

    Returns
    -------
    tuple
        How many overrides were decided, and why others were not, each reason once.
    """
    decided, refused = 0, dict[str, None]()
    for key in override_ids:
        try:
            # Each in a transaction of its own: one that cannot be decided does not keep the others.
            with transaction.atomic():
                if action == "confirm":
                    decided += len(confirm_override(key, actor=actor, note=note))
                elif action == "refuse":
                    decided += len(refuse_override(key, actor=actor, note=note))
                elif action == "withdraw":
                    withdraw_override(key, actor=actor, note=note)
                    decided += 1
                else:
                    raise OverrideInvalid("Confirm, refuse or withdraw.")
        except Problem as problem:
            refused[problem.detail] = None
    return decided, list(refused)
