"""What the cycle did: a line for each step while it runs, and a file of all figures at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO


@dataclass
class Step:
    """One step: what it is called, what it found, how long it took."""

    name: str
    figures: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, **figures: object) -> None:
        """Add figures to the step's line."""
        self.figures |= figures


class Report:
    """Prints each step as it ends and keeps them all."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time one step and print its line, also when it fails."""
        step = Step(name)
        began = time.perf_counter()
        try:
            yield step
        finally:
            step.seconds = round(time.perf_counter() - began, 1)
            self.steps.append(step)
            figures = ", ".join(
                f"{label.replace('_', ' ')} {show(value)}" for label, value in step.figures.items()
            )
            self._out.write(f"{len(self.steps):>3}  {step.seconds:>6.1f} s  {name}: {figures}\n")
            self._out.flush()

    @property
    def seconds(self) -> float:
        """All steps together."""
        return round(sum(step.seconds for step in self.steps), 1)

    def write(self, path: Path) -> None:
        """Write all figures as JSON."""
        document = {"seconds": self.seconds, "steps": [asdict(step) for step in self.steps]}
        path.write_text(json.dumps(document, indent=1, default=str) + "\n")


def show(value: object) -> str:
    """Return a figure as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return str(value)
