"""The reconciliation of a property's value in a run, read from what is stored."""

from __future__ import annotations

from uuid import UUID

from valuation.review.models import Override
from valuation.review.rules.overriding import review_policy
from valuation.runs.models import Conclusion, Estimate, Run
from valuation.runs.rules.reconciling import Change, Reconciliation, reconcile
from valuation.runs.selectors import rounding_of

_OVERRIDDEN = "override"


def find_reconciliation(run: Run, property_id: UUID) -> Reconciliation | None:
    """Return how a run's estimates and the overrides since made the value of record; None without a conclusion."""
    conclusion = Conclusion.objects.filter(run=run, property_id=property_id).first()
    if conclusion is None:
        return None
    conclusion.run = run
    estimates = Estimate.objects.filter(run=run, property_id=property_id).values_list("approach", "value")
    return reconciliation_of(conclusion, dict(estimates))


def reconciliation_of(conclusion: Conclusion, estimates: dict[str, int]) -> Reconciliation:
    """Return the reconciliation of a conclusion whose estimates are at hand."""
    chain: list[Override] = []
    if _OVERRIDDEN in conclusion.weights:
        states = (Override.State.IN_FORCE, Override.State.SUPERSEDED)
        overrides = Override.objects.filter(conclusion=conclusion, state__in=states)
        chain = _chain(list(overrides.order_by("-proposed_at", "-id")))
    weights = chain[0].weights_before if chain else conclusion.weights
    return reconcile(
        estimates,
        weights,
        value=conclusion.value,
        changes=[Change(_words(each), each.value_before, each.value_after) for each in chain],
        rounding=rounding_of(conclusion.run),
    )


def _chain(newest_first: list[Override]) -> list[Override]:
    """Return the override in force after those that it stands on, oldest first."""
    chain: list[Override] = []
    for each in newest_first:
        if not chain:
            if each.state == Override.State.IN_FORCE:
                chain = [each]
        elif _OVERRIDDEN in chain[0].weights_before and each.value_after == chain[0].value_before:
            chain.insert(0, each)
    return chain


def _words(override: Override) -> str:
    reason = review_policy().reasons.get(override.reason_code, override.reason_code)
    return f"Override by {override.proposed_by_name} ({reason}): {override.note}"
