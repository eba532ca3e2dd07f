"""manage.py check_field: the alarms of the field, for a person or for monitoring."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.models import Town
from assessment.region.scope import scope
from fieldsync.alarms.rules import KINDS, Alarm, Severity
from fieldsync.alarms.selectors import list_alarms, list_disk_alarms

EXAMPLES = """examples:
  manage.py check_field                          all towns; status 1 when there is any alarm
  manage.py check_field --town hamden
  manage.py check_field --fail-on error          warnings are printed and let pass
  manage.py check_field --json
  manage.py check_field --list                   every alarm there can be, and what to do

Run it every hour; the thresholds are in fieldsync/alarms/parameters/alarms.yaml.
"""


class Command(ExplainedCommand):
    help = "Check what is alarming in the field: silent tablets, lost stores, unattended work, the disk."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", help="number or name of one town")
        parser.add_argument(
            "--fail-on", choices=["warning", "error", "never"], default="warning", help="when the status is 1"
        )
        parser.add_argument("--list", action="store_true", help="list every alarm and stop")
        parser.add_argument("--json", action="store_true", help="for a script")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for kind in KINDS.values():
                self.stdout.write(f"{kind.code} ({kind.severity}): {kind.title}. {kind.do}")
            return
        towns = self._towns(options["town"])
        with scope(Actor.system("check the field"), read_only=towns):
            alarms = [*list_disk_alarms(), *list_alarms(now=timezone.now())]
        if options["json"]:
            self.stdout.write(json.dumps([_facts(alarm, towns) for alarm in alarms]))
        else:
            for alarm in alarms:
                where = ", ".join(filter(None, (towns.get(alarm.town_code or 0, ""), alarm.subject)))
                self.stdout.write(
                    f"{alarm.kind.severity}: {alarm.code}{f' ({where})' if where else ''}: {alarm.sentence}. {alarm.kind.do}"
                )
        bad = [a for a in alarms if options["fail_on"] == "warning" or a.kind.severity == Severity.ERROR]
        if bad and options["fail_on"] != "never":
            raise CommandError(f"{len(bad)} alarm{'' if len(bad) == 1 else 's'}.")
        if not alarms and not options["json"]:
            self.stdout.write("No alarm.")

    def _towns(self, stated: str | None) -> dict[int, str]:
        rows = Town.objects.all()
        if stated:
            rows = rows.filter(code=int(stated)) if stated.isdecimal() else rows.filter(slug=stated.lower())
        towns = dict(rows.values_list("code", "name"))
        if not towns:
            raise CommandError(f"There is no town {stated}.")
        return towns


def _facts(alarm: Alarm, towns: dict[int, str]) -> dict[str, Any]:
    return {
        "code": alarm.code,
        "severity": alarm.kind.severity.value,
        "town": alarm.town_code,
        "town_name": towns.get(alarm.town_code or 0),
        "device_id": str(alarm.device_id) if alarm.device_id else None,
        "device": alarm.subject or None,
        "count": alarm.count,
        "age_s": int(alarm.age.total_seconds()),
        "says": alarm.sentence,
    }
