"""What must happen after a restore and before the first request: features register it here.

A restored server stands at an earlier moment than its tablets remember. Whatever hands out numbers or
cursors must then begin anew, which `fieldsync` does with its epoch.
"""

from __future__ import annotations

from collections.abc import Callable

from assessment.region.actors import Actor

RestoreHook = Callable[[Actor, list[int], str], str]

_hooks: dict[str, RestoreHook] = {}


def register_restore_hook(name: str, hook: RestoreHook) -> None:
    """Have ``hook(actor, town_codes, reason)`` called after each restore, in a scope of all towns.

    Parameters
    ----------
    hook
        Returns one line that says what it did. It runs in one transaction with the others.
    """
    _hooks[name] = hook


def run_restore_hooks(*, actor: Actor, towns: list[int], reason: str) -> list[str]:
    """Run all hooks, by name; return what each did."""
    return [f"{name}: {_hooks[name](actor, towns, reason)}" for name in sorted(_hooks)]
