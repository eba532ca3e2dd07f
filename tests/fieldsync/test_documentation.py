"""docs/sync-protocol.md names every problem and reason that a client may meet."""

from pathlib import Path

import pytest

from assessment.region.errors import NotFound
from assessment.region.maintenance import UnderMaintenance
from fieldsync import problems
from fieldsync.push.rules import Kind, Status

PAGE = Path("docs/sync-protocol.md").read_text()
PROBLEMS = [
    each
    for each in vars(problems).values()
    if isinstance(each, type)
    and issubclass(each, problems.FieldProblem)
    and each is not problems.FieldProblem
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.code)
def test_a_problem_is_documented_with_its_status_and_what_to_do(problem: type[problems.FieldProblem]) -> None:
    assert f"| `{problem.code}` | {problem.status} | `{problem.retry}` | {problem.title} |" in PAGE


def test_every_code_is_used_once() -> None:
    codes = [problem.code for problem in PROBLEMS]
    assert len(set(codes)) == len(codes) > 20


@pytest.mark.parametrize(("code", "sentence"), problems.ITEM_CODES.items())
def test_a_reason_for_quarantine_is_documented(code: str, sentence: str) -> None:
    assert f"| `{code}` | {sentence} |" in PAGE


@pytest.mark.parametrize("word", [*Kind, *(status for status in Status if status is not Status.RECEIVED)])
def test_every_kind_and_status_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE or f" {word} " in PAGE


def test_the_problems_of_every_interface_that_a_tablet_meets_are_documented() -> None:
    for problem in (UnderMaintenance, NotFound):
        assert f"| `{problem.code}` | {problem.status} |" in PAGE
