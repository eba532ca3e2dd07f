"""Balance: a town's list as we hold it against the list the town brings, account by account and by class."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Side:
    """One account as one side has it.

    `parts` and `exemptions` are dollars by code (``13``, ``VET``) or by component (``land``); a side that
    states no split leaves them empty, and then only the sums are compared.
    """

    gross: int
    net: int
    parts: Mapping[str, int] = field(default_factory=dict)
    exemptions: Mapping[str, int] = field(default_factory=dict)
    state_class: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of an account (or of a class) that is not the same on both sides."""

    account: str
    item: str
    ours: int | None
    theirs: int | None

    @property
    def amount(self) -> int:
        """Dollars by which we are above the town."""
        return (self.ours or 0) - (self.theirs or 0)


@dataclass(frozen=True, slots=True)
class Balance:
    """The outcome: accounts compared, differences by account beyond the tolerance, and sums by class."""

    accounts: int
    matched: int
    differences: tuple[Difference, ...]
    classes: tuple[Difference, ...]
    ours: Mapping[str, int]
    theirs: Mapping[str, int]


def balance(ours: Mapping[str, Side], theirs: Mapping[str, Side], *, tolerance: int) -> Balance:
    """Compare two lists.

    Parameters
    ----------
    ours, theirs
        Sides by account.
    tolerance
        Dollars by which a component, the gross or the net of one account may differ by rounding alone.
        Exemptions have none: they are amounts of law.

    Returns
    -------
    Balance
        Accounts missing on a side are differences. Sums by class are given whether they differ or not.
    """
    found: list[Difference] = []
    matched = 0
    for account in sorted(set(ours) | set(theirs)):
        differences = list(_compare(account, ours.get(account), theirs.get(account), tolerance))
        matched += not differences
        found.extend(differences)
    return Balance(
        accounts=len(set(ours) | set(theirs)),
        matched=matched,
        differences=tuple(found),
        classes=tuple(_classes(ours.values(), theirs.values())),
        ours=_sums(ours.values()),
        theirs=_sums(theirs.values()),
    )


def _compare(account: str, ours: Side | None, theirs: Side | None, tolerance: int) -> Iterator[Difference]:
    if ours is None or theirs is None:
        yield Difference(
            account, "account", None if ours is None else ours.net, None if theirs is None else theirs.net
        )
        return
    if theirs.parts:
        yield from _table(account, "component", ours.parts, theirs.parts, tolerance)
    if theirs.exemptions:
        yield from _table(account, "exemption", ours.exemptions, theirs.exemptions, 0)
    for item, mine, stated in (("gross", ours.gross, theirs.gross), ("net", ours.net, theirs.net)):
        if abs(mine - stated) > tolerance:
            yield Difference(account, item, mine, stated)


def _table(
    account: str, what: str, ours: Mapping[str, int], theirs: Mapping[str, int], tolerance: int
) -> Iterator[Difference]:
    for code in sorted(set(ours) | set(theirs)):
        mine, stated = ours.get(code, 0), theirs.get(code, 0)
        if abs(mine - stated) > tolerance:
            yield Difference(account, f"{what} {code}", mine, stated)


def _classes(ours: Iterable[Side], theirs: Iterable[Side]) -> Iterator[Difference]:
    mine, stated = _by_class(ours), _by_class(theirs)
    for name in sorted(set(mine) | set(stated)):
        yield Difference("", f"class {name}", mine[name], stated[name])


def _by_class(sides: Iterable[Side]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for side in sides:
        sums[side.state_class] += side.net
    return sums


def _sums(sides: Iterable[Side]) -> dict[str, int]:
    sums = {"accounts": 0, "gross": 0, "exempt": 0, "net": 0}
    for side in sides:
        sums["accounts"] += 1
        sums["gross"] += side.gross
        sums["exempt"] += side.gross - side.net
        sums["net"] += side.net
    return sums
