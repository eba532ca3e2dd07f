"""The gate before values are posted: named checks, which are met, accepted with a reason, or keep it shut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["met", "missed", "look"]


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Attributes
    ----------
    state
        ``met``; ``missed``: keeps the town open until it is mended or accepted with a reason; ``look``: worth a
        look, decides nothing (a rule whose text nobody has verified, too few sales).
    """

    id: str
    title: str
    state: State
    found: str

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Standing:
    """What the checks are made from: counts, and the outcomes of the rule set by state."""

    properties: int
    without_conclusion: int
    without_value: int
    parts_out_of_sum: int
    waiting_overrides: int
    unreviewed: Mapping[str, int]
    changed_since: int
    is_adopted: bool
    decisive_misses: Sequence[str]
    other_misses: Sequence[str]
    sales: int


def checks_of(standing: Standing) -> list[Check]:
    """Return every check in the order they are worked off."""

    def counted(id_: str, title: str, count: int, words: str) -> Check:
        return Check(id_, title, "missed" if count else "met", f"{count:,} {words}" if count else "none")

    unreviewed = sum(standing.unreviewed.values())
    named = ", ".join(
        f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(standing.unreviewed.items()) if count
    )
    checks = [
        counted("concluded", "Every property has a conclusion", standing.without_conclusion, "without one"),
        counted("valued", "Every property has a value", standing.without_value, "at nothing"),
        counted("parts", "Parts sum to the value", standing.parts_out_of_sum, "do not"),
        Check(
            "reviewed",
            "What the run could not know was looked at",
            "missed" if unreviewed else "met",
            f"{unreviewed:,} not reviewed: {named}" if unreviewed else "none left",
        ),
        counted("overrides", "No override waits for a second person", standing.waiting_overrides, "wait"),
        counted(
            "current", "The record is as the run saw it", standing.changed_since, "properties changed since"
        ),
        Check(
            "adopted",
            "The assessor adopted this version of the model",
            "met" if standing.is_adopted else "missed",
            "adopted" if standing.is_adopted else "not adopted for this list",
        ),
    ]
    if not standing.sales:
        checks.append(
            Check("rules", "Tests of the rule set", "look", "no sales to test on: procedural standards apply")
        )
    else:
        checks.append(
            Check(
                "rules",
                "Tests of the rule set that decide",
                "missed" if standing.decisive_misses else "met",
                "; ".join(standing.decisive_misses) or f"met on {standing.sales:,} sales",
            )
        )
        if standing.other_misses:
            checks.append(
                Check(
                    "unverified_rules",
                    "Tests whose rule nobody has verified",
                    "look",
                    "; ".join(standing.other_misses),
                )
            )
    return checks


def still_shut(checks: Sequence[Check], accepted: Mapping[str, str]) -> list[Check]:
    """Return the checks that keep the gate shut: missed, and not accepted with a reason."""
    return [check for check in checks if check.state == "missed" and not accepted.get(check.id, "").strip()]
