"""From the approaches to the value of record, line by line and to the dollar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

APPROACHES = {"cost": "Cost approach", "market": "Market approach", "income": "Income approach"}
ROUNDING = "Rounding"
UNEXPLAINED = "Not explained by the approaches"
NOT_WEIGHED = "Concluded without weights"
CHANGED = "Changed since"
_WHOLE = 10_000


@dataclass(frozen=True)
class Line:
    """One line of a reconciliation.

    Attributes
    ----------
    estimate, weight_percent
        Of an approach; None on lines that round or override.
    dollars
        What the line adds to the value of record.
    """

    words: str
    dollars: int
    estimate: int | None = None
    weight_percent: float | None = None


@dataclass(frozen=True)
class Change:
    """A person's override in force, or one that it replaced: why, and the value before and after."""

    words: str
    before: int
    after: int


@dataclass(frozen=True)
class Reconciliation:
    """How a value of record came about; the lines' dollars sum to `value`."""

    lines: tuple[Line, ...]
    value: int

    @property
    def weighs_others(self) -> bool:
        """Tell whether anything but the cost approach made the value."""
        return [line.words for line in self.lines] != [APPROACHES["cost"]]

    @property
    def rests_on_cost(self) -> bool:
        """Tell whether the cost approach has a share in the value."""
        return any(line.words == APPROACHES["cost"] for line in self.lines)


def reconcile(
    estimates: Mapping[str, int],
    weights: Mapping[str, float],
    *,
    value: int,
    changes: Sequence[Change] = (),
    rounding: int = 1,
) -> Reconciliation:
    """Return the lines from estimates by weight to a value of record.

    Parameters
    ----------
    estimates
        Whole dollars by approach.
    weights
        By approach, of the run's own conclusion; approaches without a weight have no line.
    value
        The value of record.
    changes
        Overrides since, oldest first.
    rounding
        Dollars that the run rounded its conclusions to.

    Notes
    -----
    Weights count to a hundredth of a percent, as they are shown, so that whoever multiplies finds the same
    dollars. Each approach's share is rounded to the dollar by itself, a half up; what then is missing to the
    value that the run concluded stands on a line of its own, which is called rounding only where rounding can
    have made it.
    """
    points = {name: round(weights.get(name, 0.0) * _WHOLE) for name in APPROACHES}
    lines = [
        Line(
            words,
            (estimates[name] * points[name] + _WHOLE // 2) // _WHOLE,
            estimates[name],
            points[name] / 100,
        )
        for name, words in APPROACHES.items()
        if points[name] and name in estimates
    ]
    concluded = changes[0].before if changes else value
    if not lines:
        lines = [Line(NOT_WEIGHED, concluded)]
    elif rest := concluded - sum(line.dollars for line in lines):
        weighed = sum(estimates[name] for name in APPROACHES if name in weights and name in estimates)
        most = rounding / 2 + len(lines) / 2 + weighed / (2 * _WHOLE)
        is_whole = all(name in estimates for name, share in points.items() if share)
        lines.append(Line(ROUNDING if is_whole and abs(rest) <= most else UNEXPLAINED, rest))
    lines += [Line(change.words, change.after - change.before) for change in changes]
    at = changes[-1].after if changes else concluded
    if at != value:
        lines.append(Line(CHANGED, value - at))
    return Reconciliation(tuple(lines), value)
