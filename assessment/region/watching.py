"""What apps want watched: alarms for `/healthz?detail` and figures for `/metrics`, registered in ``ready()``.

Both are read by whoever runs the server, who need not be anybody in the office: nothing registered here may
say anything of a person, a property or a town's values. Counts and stable codes only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.metrics_core import Metric

Watch = Callable[[dt.datetime], Mapping[str, int]]
Figures = Callable[[dt.datetime], Iterable[Metric]]

_watches: dict[str, Watch] = {}
_figures: dict[str, Figures] = {}


def register_watch(name: str, watch: Watch) -> None:
    """Have ``watch(now)`` asked for the counts of its alarms by code, in a scope that reads all towns."""
    _watches[name] = watch


def register_figures(name: str, figures: Figures) -> None:
    """Have ``figures(now)`` asked for its gauges whenever they are read, in a scope that reads all towns."""
    _figures[name] = figures


def count_alarms(now: dt.datetime) -> dict[str, int]:
    """Return the alarms of all watches, counted by code."""
    counts: dict[str, int] = {}
    for name in sorted(_watches):
        for code, count in _watches[name](now).items():
            counts[code] = counts.get(code, 0) + count
    return counts


def collect_figures(now: dt.datetime) -> list[Metric]:
    """Return the gauges of all that registered some."""
    return [metric for name in sorted(_figures) for metric in _figures[name](now)]
