"""Other programs as oracles: each in a virtual environment of its own under var/, never imported by the product.

`answer` runs a small script there with a JSON question on standard input and reads its last line as JSON. Nothing of
theirs is copied; they are installed from the package index when a comparison is asked for.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[2] / "var" / "oracles"


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return the Python of an environment with the packages, made on the first call."""
    folder = HOME / name
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    wanted = "\n".join(packages)
    if ready.exists() and ready.read_text() == wanted:
        return python
    began = time.perf_counter()
    print(f"installing {', '.join(packages)} into {folder}", flush=True)
    venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    ready.write_text(wanted)
    print(f"installed in {time.perf_counter() - began:.0f} s", flush=True)
    return python


def answer(python: Path, script: str, question: Any) -> Any:
    """Run a script in the environment and return what it prints last, as JSON."""
    found = subprocess.run(
        [python, "-c", script], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if found.returncode:
        sys.exit(f"the other program failed:\n{found.stderr[-3000:]}")
    return json.loads(found.stdout.strip().splitlines()[-1])
