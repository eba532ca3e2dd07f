"""Three-way merge of one field of the record: what the field saw against what the office has now.

A change from the field carries the value it started from (`base`) and the value it made (`new`);
`server` is the value the record has when the change arrives. Pure: no Django, no clock, no I/O.
The value that loses is never dropped; it is in `MergeResult.loser`, and whoever calls keeps it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from assessment.property.rules.shapes import same_shape


class PolicyKind(StrEnum):
    """What to do when both sides changed a field to different values."""

    CONFLICT = "conflict"
    SET = "set"
    APPEND = "append"
    TOLERANCE = "tolerance"
    SHAPE = "shape"
    FIELD_WINS = "field-wins"
    OFFICE_WINS = "office-wins"


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """The rule declared beside a model for one of its fields.

    Parameters
    ----------
    kind
        What happens when both sides changed the field.
    tolerance
        For `TOLERANCE`: the largest difference, in the field's own unit, that is no disagreement. For
        `SHAPE`: how far, in feet, two outlines may be apart anywhere and still be the same.
    parameter
        The dated parameter that `tolerance` comes from.
    """

    kind: PolicyKind = PolicyKind.CONFLICT
    tolerance: Decimal = Decimal(0)
    parameter: str = ""

    def __post_init__(self) -> None:
        if self.tolerance < 0:
            raise ValueError("a tolerance is not negative")

    def at(self, tolerances: Mapping[str, Decimal]) -> "MergePolicy":
        """Return the policy with its tolerance as the parameters of a day have it."""
        return replace(self, tolerance=tolerances[self.parameter]) if self.parameter else self


CONFLICT = MergePolicy()
SET = MergePolicy(PolicyKind.SET)
APPEND = MergePolicy(PolicyKind.APPEND)
FIELD_WINS = MergePolicy(PolicyKind.FIELD_WINS)
OFFICE_WINS = MergePolicy(PolicyKind.OFFICE_WINS)


def within(tolerance: float | str) -> MergePolicy:
    """Return the policy that keeps the office's figure when the two differ by at most `tolerance`."""
    return MergePolicy(PolicyKind.TOLERANCE, Decimal(str(tolerance)))


def measured(parameter: str, kind: PolicyKind = PolicyKind.TOLERANCE) -> MergePolicy:
    """Return the policy of a figure or an outline whose tolerance is a dated parameter."""
    return MergePolicy(kind, parameter=parameter)


class Outcome(StrEnum):
    """How one field came out of a merge; the wire protocol uses the same words."""

    NOOP = "noop"
    TAKEN = "taken"
    CONFLICT = "conflict"
    MERGED_SET = "merged-set"
    APPENDED = "appended"
    WITHIN_TOLERANCE = "within-tolerance"
    FIELD_WON = "field-won"
    OFFICE_KEPT = "office-kept"


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What became of one field.

    Attributes
    ----------
    outcome
        How it came out.
    value
        What the record holds afterwards.
    loser
        The value that was not kept, or None when none was lost.
    """

    outcome: Outcome
    value: Any
    loser: Any = None

    @property
    def parked(self) -> bool:
        """Whether a person must decide."""
        return self.outcome is Outcome.CONFLICT

    @property
    def loses_something(self) -> bool:
        """Whether a value was set aside that has to be kept beside the record."""
        return self.outcome in (
            Outcome.CONFLICT,
            Outcome.OFFICE_KEPT,
            Outcome.FIELD_WON,
            Outcome.WITHIN_TOLERANCE,
        )


def merge_field(
    policy: MergePolicy,
    base: Any,
    new: Any,
    server: Any,
    *,
    seen_later: bool = True,
    signature: str = "",
) -> MergeResult:
    """Merge one field.

    Parameters
    ----------
    policy
        The rule declared for the field.
    base, new
        What the device started from, and what it made of it.
    server
        What the record holds now.
    seen_later
        Whether the device saw its value after the office last changed the field; only then does
        `FIELD_WINS` win. Otherwise both are kept for a person to decide.
    signature
        Put before an appended note: who and when.

    Returns
    -------
    MergeResult
        Merging the same change again into the result is a `NOOP`, or the same result again.
    """
    if policy.kind is PolicyKind.SET:
        return _merge_set(base, new, server)
    if alike(policy, new, server):
        return MergeResult(Outcome.NOOP, server)
    if policy.kind is PolicyKind.APPEND:
        return _merge_note(_text(base), _text(new), _text(server), signature)
    if alike(policy, new, base):
        return MergeResult(Outcome.NOOP, server)
    if alike(policy, server, base):
        return MergeResult(Outcome.TAKEN, new)
    return _BOTH_CHANGED[policy.kind](policy, new, server, seen_later)


def alike(policy: MergePolicy, left: Any, right: Any) -> bool:
    """Return whether two values of a field say the same; outlines are compared as shapes, never as text."""
    if policy.kind is PolicyKind.SHAPE:
        return same_shape(left, right, float(policy.tolerance))
    return same(left, right)


def start_of_chain(
    policy: MergePolicy, base: Any, server: Any, steps: Iterable[tuple[Any, Any]]
) -> tuple[Any, list[int]]:
    """Return the value at which a chain of offline changes began, and the steps that led from it.

    The second change to a field starts from the first one's value. While the first waits for a person, the
    record has not got that value: seen from the record, the chain starts where its first step did.

    Parameters
    ----------
    steps
        ``(base, new)`` of the changes to this field that wait, in any order.

    Returns
    -------
    tuple
        The value, `base` itself when no step leads to it; and the places of the steps walked back.
    """
    left = list(enumerate(steps))
    walked: list[int] = []
    while not alike(policy, base, server):
        found = next(((place, step) for place, step in reversed(left) if alike(policy, step[1], base)), None)
        if found is None:
            break
        left.remove(found)
        walked.append(found[0])
        base = found[1][0]
    return base, walked


def same(left: Any, right: Any) -> bool:
    """Return whether two values say the same; 1820 is 1820.0, and blank text is nothing."""
    if left == "":
        left = None
    if right == "":
        right = None
    if _is_number(left) and _is_number(right):
        return Decimal(str(left)) == Decimal(str(right))
    return bool(left == right)


def _both_stay(_policy: MergePolicy, new: Any, server: Any, _seen_later: bool) -> MergeResult:
    return MergeResult(Outcome.CONFLICT, server, new)


def _keep_office(_policy: MergePolicy, new: Any, server: Any, _seen_later: bool) -> MergeResult:
    return MergeResult(Outcome.OFFICE_KEPT, server, new)


def _latest_field(policy: MergePolicy, new: Any, server: Any, seen_later: bool) -> MergeResult:
    if not seen_later:
        return _both_stay(policy, new, server, seen_later)
    return MergeResult(Outcome.FIELD_WON, new, server)


def _compare_figures(policy: MergePolicy, new: Any, server: Any, seen_later: bool) -> MergeResult:
    if _is_number(new) and _is_number(server):
        difference = abs(Decimal(str(new)) - Decimal(str(server)))
        if difference <= policy.tolerance:
            return MergeResult(Outcome.WITHIN_TOLERANCE, server, new)
    return _both_stay(policy, new, server, seen_later)


_BOTH_CHANGED: dict[PolicyKind, Callable[[MergePolicy, Any, Any, bool], MergeResult]] = {
    PolicyKind.CONFLICT: _both_stay,
    PolicyKind.OFFICE_WINS: _keep_office,
    PolicyKind.FIELD_WINS: _latest_field,
    PolicyKind.TOLERANCE: _compare_figures,
    PolicyKind.SHAPE: _both_stay,
}


def _merge_set(
    base: Sequence[Any] | None, new: Sequence[Any] | None, server: Sequence[Any] | None
) -> MergeResult:
    """Take out of the server's what the device took out, and add what it added."""
    base, new, server = list(base or []), list(new or []), list(server or [])
    removed = [item for item in base if item not in new]
    kept = [item for item in server if item not in removed]
    added: list[Any] = []
    for item in new:
        if item not in base and item not in server and item not in added:
            added.append(item)
    merged = kept + added
    if len(merged) == len(server) and not added:
        return MergeResult(Outcome.NOOP, server)
    if _same_items(base, server):
        return MergeResult(Outcome.TAKEN, merged)
    return MergeResult(Outcome.MERGED_SET, merged)


def _merge_note(base: str, new: str, server: str, signature: str) -> MergeResult:
    """Keep both texts; what the device wrote goes at the end, once."""
    addition = new[len(base) :].strip() if base and new.startswith(base) else new.strip()
    if not addition or addition == base.strip():
        return MergeResult(Outcome.NOOP, server)
    if not signature and server == base:
        return MergeResult(Outcome.TAKEN, new)
    entry = f"{signature}: {addition}" if signature else addition
    if f"\n\n{entry}\n\n" in f"\n\n{server}\n\n":
        return MergeResult(Outcome.NOOP, server)
    return MergeResult(Outcome.APPENDED, f"{server}\n\n{entry}" if server else entry)


def _same_items(left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and all(item in right for item in left)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
