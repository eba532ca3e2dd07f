"""What a web worker has in memory before its first request."""

from __future__ import annotations

import json
import os
import subprocess
import sys

HEAVY = (
    "numpy",
    "pandas",
    "geopandas",
    "shapely",
    "pyproj",
    "pyogrio",
    "pyarrow",
    "scipy",
    "sklearn",
    "lightgbm",
)
LOAD = """
import json, sys
import assessment.project.wsgi
from importlib import import_module
import_module("assessment.project.urls")
import_module("assessment.project.celery").load_tasks()  # as the first request that starts a job does
print(json.dumps(sorted(sys.modules)))
"""


def test_a_web_worker_starts_without_the_libraries_of_tables_and_shapes() -> None:
    """They cost 120 MB in each process: whoever needs one imports it inside the function that does."""
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "assessment.project.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(answer.stdout.splitlines()[-1]))
    assert "fieldsync.push.api" in loaded
    assert [name for name in HEAVY if name in loaded] == []
