"""The gate between a run and the list: its checks from the database, closing, and what posting asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from assessment.property.models import JournalEntry, Property
from assessment.property.standing import list_changed_since, list_opened_later
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from valuation.review.errors import ChecksMissed, NotClosed
from valuation.review.models import Closing, Override
from valuation.review.rules.closing import Check, Standing, checks_of, still_shut
from valuation.review.rules.overriding import review_policy
from valuation.runs.errors import RunNotFinished
from valuation.runs.facts import conversion_of
from valuation.runs.models import Conclusion, Run
from valuation.specs.selectors import find_adopted_spec

RULE_SET = "CT-62i-2001"
_VALUED_TABLES = (
    "assessment_property", "assessment_building", "assessment_landline", "assessment_feature",
    "assessment_section",
)  # fmt: skip
_PARTS_SQL = """
SELECT count(*) FROM valuation_conclusion c
WHERE c.town_id = %s AND c.run_id = %s
  AND c.value <> (SELECT coalesce(sum((part->>1)::bigint), 0) FROM jsonb_array_elements(c.components) part)
"""
_FLAGS_SQL = """
SELECT flag, count(*) FROM valuation_conclusion c, jsonb_array_elements_text(c.flags) flag
WHERE c.town_id = %s AND c.run_id = %s AND c.reviewed_at IS NULL AND flag = ANY (%s) GROUP BY flag
"""
_VALUES_SQL = """
SELECT c.property_id, c.value, c.components::text FROM valuation_conclusion c
WHERE c.town_id = %s AND c.run_id = %s ORDER BY c.property_id
"""


def list_checks(run: Run) -> list[Check]:
    """Return every check of a run as it stands now."""
    from valuation.ratio.rules import judge, rule_sets  # here: numpy comes with them
    from valuation.review.evidence import sold_conclusions, unsold_of

    town = run.town_id
    conclusions = Conclusion.objects.filter(run=run)
    counts = conclusions.aggregate(all=Count("id"), empty=Count("id", filter=Q(value=0)))
    properties = Property.objects.filter(town_id=town, kind="real", is_retired=False)
    sales = sold_conclusions(run)
    decisive: list[str] = []
    others: list[str] = []
    if len(sales.prices) >= 5:
        for outcome in judge(
            rule_sets()[RULE_SET],
            sales.values,
            sales.prices,
            classes=list(sales.classes),
            neighbourhoods=list(sales.neighbourhoods),
            unsold=unsold_of(run),
        ):
            if outcome.is_met is False:
                figure = f"{outcome.title}: {outcome.stratum} {outcome.figure:.3f} (n {outcome.n})"
                (decisive if outcome.decides else others).append(figure)
    base_year = run.base_run.list_year if run.base_run else run.list_year
    adopted = find_adopted_spec(town, base_year)
    return checks_of(
        Standing(
            properties=counts["all"],
            without_conclusion=properties.exclude(id__in=conclusions.values("property_id"))
            .exclude(id__in=_not_yet_on_record(run))
            .count(),
            without_value=counts["empty"],
            parts_out_of_sum=_count(_PARTS_SQL, [town, run.pk]),
            waiting_overrides=Override.objects.filter(run=run, state=Override.State.WAITING).count(),
            unreviewed=_unreviewed(run),
            changed_since=_changed_since(run),
            is_adopted=adopted is not None and adopted.pk == run.spec_id,
            decisive_misses=decisive,
            other_misses=others,
            sales=len(sales.prices),
        )
    )


def _not_yet_on_record(run: Run) -> list[UUID]:
    if run.facts_on is None:
        return []
    return list_opened_later(run.town_id, run.facts_on, conversion=conversion_of(run.town_id))


def _changed_since(run: Run) -> int:
    """Count the properties whose facts, as of the run's day, are others than the run read."""
    if run.facts_on is not None:
        of = conversion_of(run.town_id)
        return len(list_changed_since(run.town_id, run.started_at, run.facts_on, conversion=of))
    entries = JournalEntry.objects.filter(
        town_id=run.town_id, at__gt=run.started_at, table_name__in=_VALUED_TABLES, property_id__isnull=False
    )
    return entries.values("property_id").distinct().count()


@transaction.atomic
def close_run(run: Run, *, actor: Actor, accepted: Mapping[str, str] | None = None) -> Closing:
    """Close a run for posting: every check is met, or accepted by whoever may sign the list, with a reason.

    Checks, reasons and the hash of the values as concluded are kept. A later change of a value opens the run
    again.

    Raises
    ------
    RunNotFinished, Forbidden
        As they say.
    ChecksMissed
        Some are missed and not accepted; nothing is kept.
    """
    actor.require(Permission.SIGN_LIST, run.town_id)
    if run.state not in (Run.State.DONE, Run.State.POSTED):
        raise RunNotFinished(f"The run of {run.list_year} is {run.get_state_display().lower()}.")
    checks = list_checks(run)
    missed = {check.id for check in checks if check.state == "missed"}
    reasons = {name: text.strip()[:1000] for name, text in (accepted or {}).items() if name in missed}
    shut = still_shut(checks, reasons)
    if shut:
        raise ChecksMissed(
            "; ".join(f"{check.title}: {check.found}" for check in shut) + ".",
            checks=[check.as_json() for check in shut],
        )
    return Closing.objects.create(
        town_id=run.town_id,
        run=run,
        checks=[check.as_json() for check in checks],
        accepted={name: text for name, text in reasons.items() if text},
        values_sha256=hash_of_values(run),
        closed_by_id=actor.person_id,
        closed_by_name=actor.name,
        closed_at=timezone.now(),
    )


def require_closed(run: Run) -> Closing:
    """Return the closing that lets a run be posted.

    Raises
    ------
    NotClosed
        There is none, or a value was changed after it.
    """
    closing = Closing.objects.filter(run=run).order_by("-closed_at", "-id").first()
    if closing is None:
        raise NotClosed("Close the run first: its checks are met, or accepted with a reason.")
    if closing.values_sha256 != hash_of_values(run):
        raise NotClosed("Values were changed after the run was closed: close it again.")
    return closing


def hash_of_values(run: Run) -> str:
    """Return the SHA-256 of a run's values and parts as they are concluded now, by property."""
    hasher = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(_VALUES_SQL, [run.town_id, run.pk])
        for key, value, parts in cursor:
            hasher.update(f"{key} {value} {parts}\n".encode())
    return hasher.hexdigest()


def _count(sql: str, arguments: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _unreviewed(run: Run) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_FLAGS_SQL, [run.town_id, run.pk, list(review_policy().must_review)])
        return {name: int(count) for name, count in cursor.fetchall()}
