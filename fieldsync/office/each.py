"""One step with each of many, alone: one that cannot be done stops no other. Pages and API share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from assessment.region.errors import Problem


@dataclass(slots=True)
class Outcome:
    """What was done, and what could not be, each with its problem."""

    done: list[UUID] = field(default_factory=list)
    failed: list[tuple[UUID, Problem]] = field(default_factory=list)

    @property
    def details(self) -> list[str]:
        """The first few different reasons why something could not be done."""
        return list(dict.fromkeys(problem.detail for _, problem in self.failed))[:5]


def do_each(ids: Iterable[UUID], step: Callable[[UUID], Any]) -> Outcome:
    """Take a step with each, in the order of the ids, so that two who do so at once do not block each other."""
    outcome = Outcome()
    for key in sorted(set(ids)):
        try:
            with transaction.atomic():
                step(key)
        except Problem as problem:
            outcome.failed.append((key, problem))
        else:
            outcome.done.append(key)
    return outcome
