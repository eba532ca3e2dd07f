"""Documentation is tested: every command, setting and problem code is in it, and every link leads somewhere."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from pathlib import Path

import pytest

import assessment
import fieldsync
import gis
import valuation
from assessment.project.config import Config
from assessment.region.errors import Problem

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def all_problems() -> list[type[Problem]]:
    for package in (assessment, gis, valuation, fieldsync):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".management." not in module.name and ".migrations" not in module.name:
                importlib.import_module(module.name)
    found, waiting = [], [Problem]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            if kind.__module__.split(".")[0] in ("assessment", "gis", "valuation", "fieldsync"):
                found.append(kind)
                waiting.append(kind)
    return found


def catalogue() -> str:
    """The page of all problems, made from their classes."""
    meanings: dict[str, tuple[int, str, str]] = {}
    for problem in sorted(all_problems(), key=lambda p: (p.code, p.__module__, p.__name__)):
        own = problem.__dict__.get("__doc__") or ""
        meaning = " ".join(own.split("\n\n")[0].split())
        meanings.setdefault(problem.code, (problem.status, problem.title, meaning))
    head = (
        "# Problems\n\nEvery failure leaves the server as `application/problem+json` (RFC 9457). Its `type` is "
        "`/problems/` and the code; `detail` is a sentence for a person, `instance` the address that was asked, and "
        "`request_id` leads to the log. Problems of the field API have a `retry` too: never, now, after, split, "
        "reauth, refresh-manifest or resume. Commands print the detail as one line and end with status 1.\n\n"
        "This page is made from the classes; a test holds it to them.\n\n| Code | Status | Title | When |\n|---|---|---|---|\n"
    )
    rows = (f"| `{code}` | {s} | {title} | {meaning} |\n" for code, (s, title, meaning) in meanings.items())
    return head + "".join(rows)


def commands() -> list[str]:
    return sorted(
        path.stem
        for app in ("assessment", "gis", "valuation", "fieldsync")
        for path in (ROOT / app / "management" / "commands").glob("[!_]*.py")
    )


def test_every_problem_is_in_the_catalogue():
    """After a change: ``UPDATE_SNAPSHOTS=1 make test ARGS=tests/architecture/test_docs.py``."""
    path = DOCS / "problems.md"
    made = catalogue()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(made)
    assert path.read_text() == made


def test_no_two_kinds_of_problem_share_a_code_with_different_status():
    statuses: dict[str, set[int]] = {}
    for problem in all_problems():
        statuses.setdefault(problem.code, set()).add(problem.status)
    assert {code: s for code, s in statuses.items() if len(s) > 1} == {}


def test_every_command_is_described():
    text = "".join(path.read_text() for path in PAGES)
    assert [name for name in commands() if f"`{name}" not in text and f"manage.py {name}" not in text] == []


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_an_example(name):
    from django.core.management import get_commands, load_command_class

    command = load_command_class(get_commands()[name], name)
    if name != "migrate":
        assert "manage.py " + name in command.create_parser("manage.py", name).format_help()


def test_every_setting_is_described():
    text = (DOCS / "operations.md").read_text()
    names = [
        field.validation_alias if isinstance(field.validation_alias, str) else f"GRANDLIST_{name.upper()}"
        for name, field in Config.model_fields.items()
    ]
    assert [name for name in names if name not in text] == []


def test_every_link_leads_somewhere():
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if not target.startswith(("http:", "https:", "mailto:"))
    ]
    broken = [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()]
    assert broken == []
