"""Documentation is tested: every command, setting and problem code is in it, and every link leads somewhere."""

from __future__ import annotations

import importlib
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


def commands() -> list[str]:
    return sorted(
        path.stem
        for app in ("assessment", "gis", "valuation", "fieldsync")
        for path in (ROOT / app / "management" / "commands").glob("[!_]*.py")
    )


def test_every_problem_code_is_explained():
    text = (DOCS / "problems.md").read_text()
    assert {p.code for p in all_problems() if f"`{p.code}`" not in text} == set()


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
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http:", "https:", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []
