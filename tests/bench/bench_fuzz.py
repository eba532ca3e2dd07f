"""Schemathesis against both interfaces with many examples: `make bench ARGS=fuzz`.

python -m tests.bench.bench_fuzz [EXAMPLES]       150 of each operation, valid and not
"""

from __future__ import annotations

import os
import subprocess
import sys


def main(examples: int) -> int:
    """Run the tests of the interfaces with more examples than `make test` has time for."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/project/test_fuzzed_interfaces.py"]
    return subprocess.run(command, check=False, env={**os.environ, "FUZZ_EXAMPLES": str(examples)}).returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 150))
