"""An area's factor on many values at once: what it would do, asking for it, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from assessment.property.statistics import reading_whole_town
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from valuation.long_work import Tell, tell_nobody
from valuation.review.asking import Wanted, ask, end, take_back
from valuation.review.errors import (
    OverrideDecided,
    OverrideInvalid,
    OverrideNotFound,
    RunPosted,
    ValuesChanged,
)
from valuation.review.models import Override
from valuation.review.rules.overriding import factored
from valuation.runs.models import Run
from valuation.runs.selectors import rounding_of

NO_NEIGHBOURHOOD = "none"
_LOWEST, _HIGHEST = Fraction(1, 5), Fraction(5)
_AREA_SQL = """
SELECT c.id, c.property_id, c.value, p.address, p.account_number, p.neighbourhood
FROM valuation_conclusion c
JOIN assessment_property p ON p.town_id = c.town_id AND p.id = c.property_id
WHERE c.town_id = %(town)s AND c.run_id = %(run)s AND c.value > 0
  AND (%(place)s = '' OR p.neighbourhood = CASE %(place)s WHEN 'none' THEN '' ELSE %(place)s END)
  AND (%(class)s = '' OR p.state_class = %(class)s)
ORDER BY p.address, c.property_id
"""
# Apart from the values: right after a run the database has no statistics of its rows, and would join one by one.
_STATES_SQL = """
SELECT conclusion_id, max(state) FROM valuation_override
WHERE town_id = %(town)s AND run_id = %(run)s AND state IN ('waiting', 'in_force') GROUP BY conclusion_id
"""
_AREAS_SQL = """
SELECT {column}, count(*) FROM valuation_conclusion c
JOIN assessment_property p ON p.town_id = c.town_id AND p.id = c.property_id
WHERE c.town_id = %s AND c.run_id = %s AND c.value > 0 GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Area:
    """Which properties: of a neighbourhood, of a state class, or of both.

    Attributes
    ----------
    neighbourhood
        As on the cards; ``none``: those without one; empty: any.
    state_class
        OPM class, ``100`` to ``800``; empty: any.
    with_overridden
        Also the values that a reviewer has concluded; they stay as they are by default.
    """

    neighbourhood: str = ""
    state_class: str = ""
    with_overridden: bool = False

    def __str__(self) -> str:
        named = [
            f"neighbourhood {self.neighbourhood}" if self.neighbourhood else "",
            f"class {self.state_class}" if self.state_class else "",
        ]
        return ", ".join(each for each in named if each)


@dataclass(frozen=True)
class FactorRow:
    """One property's value before and after a factor, whole dollars."""

    conclusion_id: UUID
    property_id: UUID
    address: str
    account_number: str
    neighbourhood: str
    before: int
    after: int


@dataclass(frozen=True)
class FactorPreview:
    """What a factor would do.

    Attributes
    ----------
    rows
        The values that change, by address.
    waiting, overridden, unchanged
        Properties of the area that it leaves alone: an override waits, a reviewer concluded the value, or
        rounding gives the same value again.
    effect
        Ratio study before and after, as of `Effects.of`.
    """

    rows: list[FactorRow]
    waiting: int
    overridden: int
    unchanged: int
    effect: dict[str, Any]

    @property
    def before(self) -> int:
        """Return the total before, dollars."""
        return sum(row.before for row in self.rows)

    @property
    def after(self) -> int:
        """Return the total after, dollars."""
        return sum(row.after for row in self.rows)


def read_factor(text: str) -> Fraction:
    """Return a factor as it was written, exactly.

    Raises
    ------
    OverrideInvalid
        No number, or one outside 0.2 to 5.
    """
    try:
        exact = Decimal(text.strip())
    except InvalidOperation as error:
        raise OverrideInvalid(f"{text.strip()[:40]!r} is no factor: write a number such as 1.05.") from error
    if not exact.is_finite() or not _LOWEST <= Fraction(exact) <= _HIGHEST:
        raise OverrideInvalid(f"A factor is between 0.2 and 5, not {text.strip()[:40]}.")
    if abs(int(exact.as_tuple().exponent)) > 12:
        raise OverrideInvalid("A factor has at most twelve decimals.")
    return Fraction(exact)


def list_areas(run: Run) -> Mapping[str, list[tuple[str, int]]]:
    """Return the neighbourhoods (``none``: not named) and the state classes of a run's values, with counts."""
    found = {}
    with reading_whole_town(), connection.cursor() as cursor:
        for name in ("neighbourhood", "state_class"):
            cursor.execute(_AREAS_SQL.format(column=f"p.{name}"), [run.town_id, run.pk])
            found[name] = [(str(key), int(count)) for key, count in cursor.fetchall()]
    found["neighbourhood"] = [(key or NO_NEIGHBOURHOOD, count) for key, count in found["neighbourhood"]]
    found["state_class"] = [(key, count) for key, count in found["state_class"] if key]
    return found


def preview_factor(run: Run, *, area: Area, factor: Fraction, effect: bool = True) -> FactorPreview:
    """Return what a factor on an area would do, with the ratio study before and after; nothing is kept.

    Raises
    ------
    OverrideInvalid
        No area was chosen.
    """
    from valuation.review.evidence import Effects  # here: it brings numpy, which most requests never need

    if not area.neighbourhood and not area.state_class:
        raise OverrideInvalid("Choose a neighbourhood, a class, or both.")
    rounding = rounding_of(run)
    rows: list[FactorRow] = []
    left = {"waiting": 0, "in_force": 0, "unchanged": 0}
    for key, property_id, value, state, address, account, place in _area(run, area):
        after = factored(value, factor, rounding=rounding)
        if state == "waiting" or (state == "in_force" and not area.with_overridden):
            left[state] += 1
        elif after == value:
            left["unchanged"] += 1
        else:
            rows.append(FactorRow(key, property_id, address, account, place, value, after))
    studied: dict[str, Any] = {}
    if effect and rows:
        changed = {row.property_id: row.after for row in rows}
        studied = Effects(run).of(changed, {row.property_id: row.neighbourhood for row in rows})
    return FactorPreview(rows, left["waiting"], left["in_force"], left["unchanged"], studied)


@transaction.atomic
def propose_area_factor(
    run: Run,
    *,
    actor: Actor,
    area: Area,
    factor: Fraction,
    reason_code: str,
    note: str,
    seen: int | None = None,
    batch: UUID | None = None,
    tell: Tell = tell_nobody,
) -> list[Override]:
    """Ask for a factor on every value of an area; always waits for a second person, who decides all as one.

    The effect on the ratio study is kept with each override (an area factor found by ratio study is lawful:
    Tuohy v. Groton, 331 Conn. 745). The note begins with factor and area.

    Parameters
    ----------
    seen
        Total before, dollars, as somebody saw it in the preview.
    batch
        The batch's id; asked for again with the same id it is the batch that exists.

    Raises
    ------
    OverrideInvalid
        No area, nothing to change, no reason or no note.
    ValuesChanged
        The total is not what was seen.
    RunPosted, Forbidden
        As they say.
    """
    actor.require(Permission.RUN_VALUATION, run.town_id)
    if batch is not None:
        again = list(Override.objects.filter(run=run, batch=batch).order_by("property_id"))
        if again:
            return again
    if run.state == Run.State.POSTED:
        raise RunPosted("The run was posted: a factor belongs in a run that is still open.")
    if not note.strip():
        raise OverrideInvalid("Say in a note what the factor rests on; it is read at an appeal.")
    found = preview_factor(run, area=area, factor=factor, effect=False)
    if seen is not None and found.before != seen:
        raise ValuesChanged("The values of the area changed since the preview: look at it again.")
    return _propose(
        run,
        [(row.conclusion_id, row.after) for row in found.rows],
        actor=actor,
        reason_code=reason_code,
        note=f"Factor {float(factor):.6g} on {area}: {note.strip()}",
        batch=batch,
        tell=tell,
    )


@transaction.atomic
def propose_factor(
    run: Run, *, actor: Actor, property_ids: Iterable[UUID], factor: float, reason_code: str, note: str
) -> list[Override]:
    """Multiply the values of named properties; rounded as the town's model rounds. Otherwise as an area's factor.

    Raises
    ------
    OverrideInvalid
        A factor outside 0.2 to 5, or nothing to change.
    OverrideWaiting, Forbidden
        As they say.
    """
    exact, rounding = read_factor(str(factor)), rounding_of(run)
    rows = run.conclusions.filter(property_id__in=list(property_ids), value__gt=0).order_by("property_id")
    wanted = [
        (key, after)
        for key, value in rows.values_list("id", "value")
        if (after := factored(value, exact, rounding=rounding)) != value
    ]
    return _propose(run, wanted, actor=actor, reason_code=reason_code, note=note)


def _propose(
    run: Run,
    values: list[tuple[UUID, int]],
    *,
    actor: Actor,
    reason_code: str,
    note: str,
    batch: UUID | None = None,
    tell: Tell = tell_nobody,
) -> list[Override]:
    if not values:
        raise OverrideInvalid("The factor changes no value.")
    together, rounding = batch or new_id(), rounding_of(run)
    return ask(
        [Wanted(key, value, reason_code, note, together, rounding) for key, value in values],
        actor=actor,
        tell=tell,
    )


@transaction.atomic
def withdraw_batch(batch_id: UUID, *, actor: Actor, note: str = "") -> int:
    """Take back a batch while its run is open; returns how many values stand again as before.

    What a later override has replaced in between stays replaced.

    Raises
    ------
    RunPosted
        The values were posted to the list.
    OverrideDecided
        Nothing of it waits or is in force.
    OverrideNotFound, Forbidden
        As they say.
    """
    rows = Override.objects.filter(batch=batch_id)
    overrides = list(rows.order_by("conclusion_id").select_for_update(of=("self",)))
    if not overrides:
        raise OverrideNotFound("There is no such batch of overrides.")
    actor.require(Permission.RUN_VALUATION, overrides[0].town_id)
    if overrides[0].run.state == Run.State.POSTED:
        raise RunPosted("The run was posted to the list: its values are changed by instruments now.")
    waiting = [each for each in overrides if each.state == Override.State.WAITING]
    in_force = [each for each in overrides if each.state == Override.State.IN_FORCE]
    if not waiting and not in_force:
        raise OverrideDecided("Nothing of it waits or is in force.")
    if waiting:
        end(waiting, Override.State.WITHDRAWN, actor=actor, note=note)
    take_back(in_force, actor=actor, note=note)
    return len(waiting) + len(in_force)


def _area(run: Run, area: Area) -> list[tuple[UUID, UUID, int, str, str, str, str]]:
    given: dict[str, Any] = {
        "town": run.town_id, "run": run.pk, "place": area.neighbourhood, "class": area.state_class,
    }  # fmt: skip
    with reading_whole_town(), connection.cursor() as cursor:
        cursor.execute(_STATES_SQL, given)
        states: dict[UUID, str] = dict(cursor.fetchall())
        cursor.execute(_AREA_SQL, given)
        return [(key, of, value, states.get(key, ""), *words) for key, of, value, *words in cursor.fetchall()]
