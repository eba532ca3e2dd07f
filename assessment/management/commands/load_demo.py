"""manage.py load_demo: the demonstration region."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from assessment.demo.loading import Loader
from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem

EXAMPLES = """examples:
  manage.py load_demo
  manage.py load_demo --small

Hamden, West Hartford and New Haven with their real parcels, cards and sales, and Lebanon, New Hampshire, as a
test town. What no source has (owners, building characteristics of Hamden) is generated with a fixed seed and
marked synthetic. A second run changes nothing. The sign-in is kept in var/secrets/demo-signin.txt.
"""


class Command(ExplainedCommand):
    help = "Load the demonstration region: real towns, sample people."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--small", action="store_true", help="the first 400 parcels and cards of each town"
        )
        parser.add_argument("--quiet", action="store_true", help="do not print the sign-in")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        sign_in_file = Path(settings.VAR_DIR) / "secrets" / "demo-signin.txt"
        loader = Loader(
            actor=Actor.system("load_demo"),
            say=self.stdout.write,
            sign_in_file=sign_in_file,
            is_small=options["small"],
        )
        try:
            done = loader.load()
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        seconds = time.monotonic() - began
        self.stdout.write(
            f"The demonstration region is loaded ({seconds:.0f} s)."
            if done
            else f"The demonstration region was complete already ({seconds:.0f} s)."
        )
        if not options["quiet"]:
            self.stdout.write(f"Sign in as (kept in {sign_in_file.name}):\n{sign_in_file.read_text()}")
