"""Conditions under which a device may begin with a package, put here by the features that set them.

A gate is asked at check-out only. What a device has collected is taken whatever a gate says.
"""

from __future__ import annotations

from collections.abc import Callable

from fieldsync.devices.models import Device
from fieldsync.packages.models import Package

Gate = Callable[[Package, Device], None]
_gates: dict[str, Gate] = {}


def register_gate(name: str, gate: Gate) -> None:
    """Add a gate, which raises a `Problem` to refuse; the same name again takes its place."""
    _gates[name] = gate


def require_gates(package: Package, device: Device) -> None:
    """Ask every gate, in the order of their names."""
    for _, gate in sorted(_gates.items()):
        gate(package, device)
