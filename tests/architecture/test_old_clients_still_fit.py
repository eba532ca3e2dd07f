"""What the field API took and gave in version 1, it takes and gives still: tablets are updated by people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OLD = json.loads(Path("tests/golden/field_api_v1.json").read_text())
NEW = json.loads(Path("docs/openapi/field.json").read_text())
# What a push carries is versioned by itself (fieldsync/push/versions.py).
VERSIONED = {"MutationIn", "FieldChangeIn"}


def test_no_address_and_no_method_has_gone():
    assert [
        f"{method} {path}"
        for path, operations in OLD["paths"].items()
        for method in operations
        if method not in NEW["paths"].get(path, {})
    ] == []


def test_no_request_asks_for_more():
    wrong = []
    for name, old in OLD["components"]["schemas"].items():
        new = NEW["components"]["schemas"].get(name, {})
        if name.endswith("In") and set(new.get("required", [])) - set(old.get("required", [])):
            wrong.append(name)
    assert wrong == []


def test_no_answer_gives_less_or_something_else():
    wrong = []
    for name, old in OLD["components"]["schemas"].items():
        new = NEW["components"]["schemas"].get(name, {"properties": {}})
        for member, shape in old.get("properties", {}).items():
            if name in VERSIONED:
                continue
            if kind_of(shape) - kind_of(new.get("properties", {}).get(member, {})):
                wrong.append(f"{name}.{member}")
    assert wrong == []


def kind_of(shape: dict[str, Any]) -> set[str]:
    """The JSON types that a member may have."""
    if "$ref" in shape:
        return {"object"}
    if "anyOf" in shape:
        return {kind for each in shape["anyOf"] for kind in kind_of(each)}
    return {shape.get("type", "anything")}
