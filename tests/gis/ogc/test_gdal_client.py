"""GDAL's own OGC API - Features driver (so QGIS's as well) against a server on a real port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from gis.fabric.services import ImportOptions, import_fabric
from gis.ogc.access import make_token
from tests.cast import SYSTEM, Cast
from tests.databases import TestDatabase
from tests.fieldsync.conftest import cast, server  # noqa: F401 - fixtures
from tests.gis.conftest import RealTown
from tests.gis.files import excerpt, write_layer

# In a process of its own: GDAL holds the interpreter while it waits for the server.
CLIENT = """
import json, sys, pyogrio
address, options = sys.argv[1], {name: tuple(value) for name, value in json.loads(sys.argv[2]).items()}
layers = [str(name) for name, _ in pyogrio.list_layers(address)]
found = pyogrio.read_dataframe(address, layer=layers[0], **options)
print(json.dumps({
    "layers": layers, "rows": len(found), "crs": str(found.crs), "keys": sorted(found["parcel_key"]),
    "valid": bool(found.geometry.is_valid.all()), "acres": float(found["acres"].sum()),
}))
"""


def as_password(token: str) -> dict[str, str]:
    """As QGIS sends it: basic authentication, any user name."""
    return {"GDAL_HTTP_AUTH": "BASIC", "GDAL_HTTP_USERPWD": f"gis:{token}"}


def as_bearer(token: str) -> dict[str, str]:
    return {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token}


def read(server_address: str, credentials: dict[str, str], **options: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CLIENT, f"OAPIF:{server_address}/ogc/", json.dumps(options)],
        env={**os.environ, **credentials, "OGR_OAPIF_PAGE_SIZE": "100"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def token(committed_db: TestDatabase, cast: Cast, hamden: RealTown, tmp_path: Path) -> str:  # noqa: F811
    path = write_layer(tmp_path / "parcels.gpkg", *excerpt(hamden, slice(0, 250)))
    import_fabric(path, actor=SYSTEM, town=cast.town_a, options=ImportOptions(make_tiles=False))
    return make_token(cast.assessor_a, days=1, now=timezone.now())


def test_gdal_reads_every_page_of_the_towns_parcels(server: str, token: str, hamden: RealTown):  # noqa: F811
    found = read(server, as_password(token))
    assert (found["layers"], found["rows"], found["valid"]) == (["hamden-parcels"], 250, True)
    assert found["keys"] == sorted(hamden.raw.cells["giscode"][:250])
    assert found["crs"] in ("OGC:CRS84", "EPSG:4326")
    drawn = sum(shape.area for shape in hamden.shapes[:250]) / 43_560
    assert found["acres"] == pytest.approx(drawn, rel=1e-4)


def test_gdal_asks_for_a_box_and_gets_what_meets_it(server: str, token: str, hamden: RealTown):  # noqa: F811
    bounds = hamden.raw.shapes[0].bounds
    found = read(server, as_bearer(token), bbox=bounds)
    assert 0 < found["rows"] < 50
    assert hamden.raw.cells["giscode"][0] in found["keys"]
