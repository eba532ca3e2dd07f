"""The OpenAPI documents are committed; a change of the interface is seen in review.

After an intended change: ``UPDATE_SNAPSHOTS=1 make test ARGS='tests/architecture/test_openapi_snapshot.py'``.
"""

from __future__ import annotations

import json
import os
import typing
from pathlib import Path

import pytest
from ninja.constants import NOT_SET
from pydantic import BaseModel

from assessment.project.api import api, field_api, ogc_api

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "openapi"


@pytest.mark.parametrize(
    ("name", "prefix", "interface"),
    [("office", "/api/v1/", api), ("field", "/api/field/v1/", field_api), ("ogc", "/ogc/", ogc_api)],
)
def test_the_openapi_document_is_the_committed_one(name, prefix, interface):
    made = json.loads(json.dumps(interface.get_openapi_schema(path_prefix=prefix), default=str))
    path = FOLDER / f"{name}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
    assert made == json.loads(path.read_text())


@pytest.mark.parametrize("interface", [api, field_api, ogc_api])
def test_every_operation_is_named_once(interface):
    document = interface.get_openapi_schema(path_prefix="/api/")
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    assert [n for n in names if "_api_" in n] == [], "name the operation: operation_id="


@pytest.mark.parametrize("interface", [api, field_api, ogc_api])
def test_no_two_shapes_share_a_name(interface):
    """The document has one component for a name: of two, one would be described as the other."""
    by_name: dict[str, set[str]] = {}
    for router in routers_of(interface):
        for view in router.path_operations.values():
            for operation in view.operations:
                for annotation in annotations_of(operation):
                    for shape in shapes_in(annotation):
                        by_name.setdefault(shape.__name__, set()).add(
                            f"{shape.__module__}.{shape.__qualname__}"
                        )
    # What the framework makes around a body is named by itself, and is no component.
    twice = {name: sorted(where) for name, where in by_name.items() if len(where) > 1}
    assert len(by_name) > 5 or interface is ogc_api
    assert twice == {}


def routers_of(interface):
    waiting = [router for _, router in interface._routers]
    while waiting:
        router = waiting.pop()
        yield router
        waiting += [inner for _, inner, *_ in router._routers]


def annotations_of(operation):
    for model in operation.response_models.values():
        if model is not NOT_SET and model is not None:
            yield from (field.annotation for field in model.model_fields.values())
    yield from (hint for hint in typing.get_type_hints(operation.view_func).values())


def shapes_in(annotation):
    """Yield the schemas of a type, and those of their fields."""
    waiting, seen = [annotation], set()
    while waiting:
        one = waiting.pop()
        waiting += typing.get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
            seen.add(one)
            waiting += [field.annotation for field in one.model_fields.values()]
            yield one
