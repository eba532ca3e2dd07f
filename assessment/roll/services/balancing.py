"""Balance: does the list say what the town's own list says?"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.roll.errors import NotBalanced
from assessment.roll.models import BalanceDifference, BalanceRun, GrandList
from assessment.roll.parameters import abstract_codes, parameter
from assessment.roll.rules.accounts import cap_exemptions
from assessment.roll.rules.balance import Balance, Difference, Side, balance
from assessment.roll.rules.conversion import Stated
from assessment.roll.services.carrying import ExemptionRow
from assessment.roll.services.opening import stated_values
from assessment.roll.services.rows import insert_rows

_DIFFERENCE_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "run_id": "uuid", "account": "text", "item": "text", "ours": "bigint",
    "theirs": "bigint", "reason": "text",
}  # fmt: skip


@transaction.atomic
def balance_grand_list(
    grand_list: GrandList,
    *,
    actor: Actor,
    stated_basis: str = "card",
    stated_year: int | None = None,
    tolerance: int | None = None,
) -> tuple[BalanceRun, Balance]:
    """Compare a list, account by account and by class, with the town's stated values; keep every difference.

    Parameters
    ----------
    tolerance
        Dollars per account that rounding may explain; otherwise parameter ``balance_tolerance``.

    Raises
    ------
    Invalid
        Nothing is stated to compare with.
    """
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    locked = GrandList.objects.select_for_update().get(pk=grand_list.pk)
    year = stated_year or locked.year
    stated, exemptions = stated_values(locked.town_id, stated_basis, year)
    if not stated:
        raise Invalid(f"No values of {year} are stated ('{stated_basis}') to balance with.")
    allowed = (
        parameter("balance_tolerance").on(locked.assessment_on).value if tolerance is None else tolerance
    )
    ours, accounts = _our_sides(locked)
    names = _account_numbers(locked.town_id)
    theirs = {
        names.get(key, str(key)): _their_side(values, exemptions.get(key, []), accounts.get(key, ""))
        for key, values in stated.items()
    }
    for account, side in theirs.items():
        if account in ours:
            ours[account] = _comparable(ours[account], side)
    result = balance(ours, theirs, tolerance=allowed)
    run = BalanceRun.objects.create(
        town_id=locked.town_id, grand_list=locked, run_at=timezone.now(), run_by_id=actor.person_id,
        stated_basis=stated_basis, tolerance=allowed, accounts=result.accounts, matched=result.matched,
        ours=dict(result.ours), theirs=dict(result.theirs),
        classes=[[item.item.removeprefix("class "), item.ours, item.theirs] for item in result.classes],
    )  # fmt: skip
    insert_rows(
        "assessment_balancedifference",
        _DIFFERENCE_COLUMNS,
        (
            (new_id(), locked.town_id, run.pk, item.account, item.item, item.ours, item.theirs, "")
            for item in result.differences
        ),
    )
    return run, result


def sign_off_differences(
    run: BalanceRun, *, actor: Actor, reason: str, accounts: list[str] | None = None
) -> int:
    """Take responsibility for differences of a run, with a reason; return how many.

    Parameters
    ----------
    accounts
        Those meant; None means all that are left.

    Raises
    ------
    Forbidden
        The actor may not sign the town's list.
    Invalid
        No reason is given.
    """
    actor.require(Permission.SIGN_LIST, run.town_id)
    if not reason.strip():
        raise Invalid("A difference is signed off with a reason.")
    left = BalanceDifference.objects.filter(run=run, signed_off_at__isnull=True)
    if accounts is not None:
        left = left.filter(account__in=accounts)
    return left.update(reason=reason.strip(), signed_off_by_id=actor.person_id, signed_off_at=timezone.now())


def find_last_run(grand_list: GrandList) -> BalanceRun | None:
    """Return the last balance of a list."""
    return BalanceRun.objects.filter(grand_list=grand_list).order_by("-run_at").first()


def require_balance(grand_list: GrandList) -> None:
    """Refuse a converted list that was not balanced since its last change, or differs without a sign-off.

    Raises
    ------
    NotBalanced
    """
    if grand_list.basis != GrandList.Basis.CONVERSION:
        return
    run = find_last_run(grand_list)
    if run is None or run.run_at < grand_list.changed_at:
        raise NotBalanced(f"The {grand_list} was not balanced since its last change: run `balance`.")
    left = BalanceDifference.objects.filter(run=run, signed_off_at__isnull=True)
    number = left.count()
    if number:
        first = ", ".join(left.order_by("account").values_list("account", flat=True)[:5])
        raise NotBalanced(
            f"{number:,} differences with the town's list are not signed off; first accounts: {first}.",
            differences=number,
        )


def _account_numbers(town_code: int) -> dict[UUID, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, account_number FROM assessment_property WHERE town_id = %s", [town_code])
        return dict(cursor.fetchall())


_OURS_SQL = """
SELECT a.property_id, a.account, a.exempt_code,
       coalesce((SELECT jsonb_agg(jsonb_build_array(l.detail_code, l.assessed) ORDER BY l.line_number)
                 FROM assessment_assessmentline l WHERE l.assessment_id = a.id AND l.town_id = a.town_id), '[]'),
       coalesce((SELECT jsonb_agg(jsonb_build_array(e.code, e.amount) ORDER BY e.id)
                 FROM assessment_exemption e WHERE e.assessment_id = a.id AND e.town_id = a.town_id), '[]')
FROM assessment_assessment a WHERE a.town_id = %s AND a.grand_list_id = %s
"""


def _our_sides(grand_list: GrandList) -> tuple[dict[str, Side], dict[UUID, str]]:
    sides: dict[str, Side] = {}
    classes: dict[UUID, str] = {}
    codes = abstract_codes()
    known = {item.code: item for item in codes.details_of(grand_list.kind)}
    with connection.cursor() as cursor:
        cursor.execute(_OURS_SQL, [grand_list.town_id, grand_list.pk])
        for key, account, exempt_code, lines, exemptions in cursor.fetchall():
            parts: dict[str, int] = defaultdict(int)
            for code, assessed in _loaded(lines):
                parts[f"code {code}"] += assessed
                if code in known:
                    parts[known[code].component] += assessed
            rows = _loaded(exemptions)
            gross = sum(assessed for _, assessed in _loaded(lines))
            applied = cap_exemptions(gross, [amount for _, amount in rows])
            granted = {code: amount for (code, _), amount in zip(rows, applied, strict=True)}
            net = 0 if exempt_code else gross - sum(applied)
            first = next((known[code].state_class for code, _ in _loaded(lines) if code in known), "")
            classes[key] = "exempt" if exempt_code else first
            sides[account] = Side(gross, net, parts, granted, classes[key])
    return sides, classes


def _loaded(value: object) -> list[tuple[str, int]]:
    rows = json.loads(value) if isinstance(value, str) else value
    return [(code, amount) for code, amount in rows]  # type: ignore[union-attr]


def _their_side(values: Mapping[str, Stated], exemptions: Sequence[ExemptionRow], state_class: str) -> Side:
    stated = {name: part.assessed for name, part in values.items() if part.assessed is not None}
    parts = {name: amount for name, amount in stated.items() if name not in ("total", "net")}
    if values.get("total") and values["total"].assessed is not None:
        gross = values["total"].assessed
    elif parts:
        gross = sum(parts.values())
    else:
        gross = 0
    granted = {code: amount for code, amount, _, _ in exemptions}
    if "net" in stated:
        net = stated["net"]
    elif state_class == "exempt":
        net = 0
    else:
        net = max(gross - sum(granted.values()), 0)
    # Components are compared only where they explain the whole: some lists state a building with its outbuildings.
    comparable = state_class != "exempt" and sum(parts.values()) == gross
    return Side(gross, net, parts if comparable else {}, granted, state_class)


def _comparable(ours: Side, theirs: Side) -> Side:
    """Bring our components to those that the town states: what it does not name is in its building."""
    if not theirs.parts:
        return ours
    ours_by = {name: amount for name, amount in ours.parts.items() if not name.startswith("code ")}
    parts: dict[str, int] = defaultdict(int)
    for name, amount in ours_by.items():
        parts[name if name in theirs.parts else "building"] += amount
    if "extra" in theirs.parts:  # our lines hold extra features with the building
        parts["extra"] = theirs.parts["extra"]
        parts["building"] -= theirs.parts["extra"]
    return Side(ours.gross, ours.net, dict(parts), ours.exemptions, ours.state_class)


def differences_of(run: BalanceRun) -> list[Difference]:
    """Return the differences of a run, by account."""
    rows = BalanceDifference.objects.filter(run=run).order_by("account", "item")
    return [Difference(row.account, row.item, row.ours, row.theirs) for row in rows]
