"""Dated parameters and reference tables of the roll, read once from the YAML files beside this module."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assessment.roll.rules.codes import AbstractCodes, codes_from_mapping
from assessment.roll.rules.dated import Parameter, parameter_from_mapping


@cache
def parameter(name: str) -> Parameter:
    """Return the parameter kept in ``parameters/<name>.yaml``."""
    return parameter_from_mapping(name, _read("assessment.roll.parameters", name))


@cache
def abstract_codes() -> AbstractCodes:
    """Return the newest edition of the state's abstract codes."""
    return codes_from_mapping(_read("assessment.roll.reference", "abstract_codes_2025-09-08"))


@cache
def partial_exemptions() -> dict[str, dict[str, Any]]:
    """Return the partial exemptions we know by our own code: statute, meaning, whether verified."""
    rows = _read("assessment.roll.reference", "partial_exemptions")["exemptions"]
    return {row["code"]: row for row in rows}


def parameter_names() -> list[str]:
    """Return the names of all parameters that have a file."""
    folder = files("assessment.roll.parameters")
    return sorted(item.name[: -len(".yaml")] for item in folder.iterdir() if item.name.endswith(".yaml"))


def _read(package: str, name: str) -> Any:
    return yaml.safe_load((files(package) / f"{name}.yaml").read_text(encoding="utf-8"))
