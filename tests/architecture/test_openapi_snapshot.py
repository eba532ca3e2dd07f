"""The OpenAPI documents are committed; a change of the interface is seen in review.

After an intended change: ``UPDATE_SNAPSHOTS=1 make test ARGS='tests/architecture/test_openapi_snapshot.py'``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

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
