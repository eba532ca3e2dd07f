"""manage.py trace_mutation: everything that became of one change that a tablet sent."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from assessment.property.models import JournalEntry, Observation
from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.models import Town
from assessment.region.scope import scope
from fieldsync.conflicts.models import Conflict
from fieldsync.push.models import Mutation, Quarantine

EXAMPLES = """examples:
  manage.py trace_mutation 0199b1c2-...
  manage.py trace_mutation 0199b1c2-... --json

Prints the ledger's row, its result, quarantine, conflicts, observations, and the rows of the journal that its
observations' targets got in the same second or later from the same tablet. The request's id in the journal is the
one in the log.
"""


class Command(ExplainedCommand):
    help = "Follow one change of a tablet through ledger, quarantine, conflicts, observations and journal."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mutation_id", type=UUID)
        parser.add_argument("--json", action="store_true", help="for a script")

    def handle(self, *args: Any, **options: Any) -> None:
        key: UUID = options["mutation_id"]
        towns = Town.objects.values_list("code", flat=True)
        with scope(Actor.system("trace a change"), read_only=towns):
            steps = _trace(key)
        if not steps:
            raise CommandError(f"No tablet has sent {key}.")
        if options["json"]:
            self.stdout.write(json.dumps(steps, cls=DjangoJSONEncoder))
            return
        for step in steps:
            what = step.pop("step")
            self.stdout.write(
                f"{what}: {json.dumps(step, cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False)}"
            )


def _trace(key: UUID) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for row in Mutation.objects.filter(mutation_id=key).values(
        "id", "town_id", "device_id", "device_seq", "batch_id", "kind", "entity_id", "captured_at", "received_at",
        "clock_offset_ms", "schema_version", "status", "held_for", "result", "sha256",
    ):  # fmt: skip
        steps.append({"step": "ledger", **row})
        for name, rows in (
            ("quarantine", Quarantine.objects.filter(mutation_id=row["id"]).order_by("quarantined_at")),
            ("conflict", Conflict.objects.filter(mutation_id=row["id"]).order_by("arose_at")),
        ):
            steps += [{"step": name, **found} for found in rows.values()]
        seen = list(
            Observation.objects.filter(town_id=row["town_id"], mutation_id=key).order_by("id").values()
        )
        steps += [{"step": "observation", **found} for found in seen]
        entries = JournalEntry.objects.filter(
            town_id=row["town_id"],
            row_id__in=[found["target_id"] for found in seen],
            device_id=row["device_id"],
            at__gte=row["received_at"],
        )
        columns = (
            "id",
            "table_name",
            "row_id",
            "operation",
            "at",
            "actor_name",
            "reason",
            "request_id",
            "before",
            "after",
        )
        steps += [{"step": "journal", **found} for found in entries.order_by("id")[:50].values(*columns)]
    return steps
