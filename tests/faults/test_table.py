"""The table of faults in `docs/sync-protocol.md` says what the code does."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.faults.happenings import Happening
from tests.faults.line import Fault

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
HEAD = "| What happens | device-days | state machine |"
ELSEWHERE = "| What happens | tried in |"
SHARED = ("acts.py", "world.py", "line.py")
EVERY_FAULT = frozenset(fault.name for fault in Fault)


def table(head: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    lines = iter((ROOT / "docs" / "sync-protocol.md").read_text().splitlines())
    assert head in lines
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def functions(source: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield what has a name in a file: functions, methods, and the list of what the office does."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node


@cache
def graph() -> dict[str, list[ast.AST]]:
    """Return what tablets, office and line can do, by name."""
    made: dict[str, list[ast.AST]] = defaultdict(list)
    for file in SHARED:
        for name, node in functions((HERE / file).read_text()):
            made[name].append(node)
    return dict(made)


def reached(source: str) -> set[str]:
    """Return what can happen by anything that these functions call, as members of the two enumerations."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [node for _, node in functions(source)]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for part in ast.walk(node):
            name = part.id if isinstance(part, ast.Name) else getattr(part, "attr", None)
            owner = part.value if isinstance(part, ast.Attribute) else None
            if isinstance(owner, ast.Name) and owner.id == "Happening":
                found.add(f"Happening.{name}")
            waiting += graph().get(name or "", [])
            if isinstance(part, ast.Call) and any(
                isinstance(a, ast.Name) and a.id == "Fault" for a in part.args
            ):
                found |= {f"Fault.{fault}" for fault in EVERY_FAULT}
    return found


def drawn(source: str) -> set[str]:
    """Return the same in the words of the table."""
    names = reached(source)
    return {str(fault.value) for fault in Fault if f"Fault.{fault.name}" in names} | {
        str(what.value) for what in Happening if f"Happening.{what.name}" in names
    }


def test_the_table_names_everything_that_can_happen() -> None:
    told = [row[0] for row in table(HEAD)]
    assert len(told) == len(set(told))
    assert set(told) >= {str(fault.value) for fault in Fault} | {str(what.value) for what in Happening}


def test_the_table_says_where_each_happens() -> None:
    for place, file in enumerate(("day.py", "test_machine.py"), start=1):
        told = {row[0] for row in table(HEAD) if row[place] == "yes"}
        assert drawn((HERE / file).read_text()) == told


@pytest.mark.parametrize(
    ("act", "what"),
    [
        ("acts.copy_tablet", Happening.COPIED),
        ("acts.revoke", Happening.REVOKED),
        ("acts.oddity", Happening.ODDITY),
        ("acts.office_act", Happening.RETIRED),
        ("world.restore", Happening.RESTORED),
        ("acts.plan_faults", Fault.LATE),
    ],
)
def test_a_day_that_left_something_out_would_not_fit_the_table(act: str, what: Fault | Happening) -> None:
    source = (HERE / "day.py").read_text()
    assert what.value in drawn(source)
    assert what.value not in drawn(source.replace(act, "acts.nothing"))


def test_what_is_tried_elsewhere_has_its_test() -> None:
    rows = table(ELSEWHERE)
    assert len(rows) >= 5
    for what, where in rows:
        path, _, name = where.strip("`").partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(), what
