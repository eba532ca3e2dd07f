"""Wire forms of decisions about many: conflicts, and what waits in quarantine."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from fieldsync.office.each import Outcome

Reason = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[list[UUID], Field(min_length=1, max_length=200)]
Step = Literal["apply", "as-inspection", "propose-discard", "confirm-discard", "withdraw-discard"]


class QuarantineOut(Schema):
    """A mutation that was stored and not applied, why, and what was decided about it.

    ``body`` is what came, word for word; where the same id came with another body, ``first_body`` is what
    came first.
    """

    id: UUID
    mutation_id: UUID
    device_id: UUID
    device: str
    kind: str
    property_id: UUID | None
    code: str
    why: str
    detail: str
    state: str
    quarantined_at: dt.datetime
    captured_at: dt.datetime | None
    body: Any
    first_body: Any = None
    proposed_by: str | None
    proposed_at: dt.datetime | None
    proposed_reason: str
    decided_by: str | None
    decided_at: dt.datetime | None
    reason: str
    inspection_id: UUID | None


class QuarantineDecisionIn(Schema):
    """What becomes of it, and why. Discarding takes two persons: one proposes, another one confirms.

    ``property_id`` is for ``as-inspection``, where the mutation names no property of the town.
    """

    step: Step
    reason: Reason
    property_id: UUID | None = None


class QuarantineDecisionsIn(Schema):
    """The same step with each of many."""

    ids: Ids
    step: Step
    reason: Reason


class AnswersIn(Schema):
    """The same answer to each of many conflicts."""

    ids: Ids
    choice: Literal["office", "field", "other"]
    reason: Reason
    value: Any = None


class ReopenIn(Schema):
    """Conflicts whose answers are to be taken back."""

    ids: Ids


class FailedOut(Schema):
    """One of many that could not be done, and why; it is as it was."""

    id: UUID
    code: str
    detail: str


class ManyOut(Schema):
    """What was done, and what could not be."""

    done: list[UUID]
    failed: list[FailedOut]


def many_out(outcome: Outcome) -> ManyOut:
    """Return an outcome as the wire has it."""
    failed = [
        FailedOut(id=key, code=problem.code, detail=problem.detail or problem.title)
        for key, problem in outcome.failed
    ]
    return ManyOut(done=outcome.done, failed=failed)
