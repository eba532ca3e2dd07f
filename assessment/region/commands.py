"""What every command of ours has in common."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

_NO_TABLE = "42P01"


class ExplainedCommand(BaseCommand):
    """A command whose help keeps its line breaks and ends with examples.

    Attributes
    ----------
    help
        What it does, as paragraphs.
    examples
        Shown below the options; blank for none.
    """

    examples: str = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Return the parser, with description and examples as they are written."""
        kwargs.setdefault("epilog", self.examples or None)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run the command; a database that is away, full or without tables is told in one line."""
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError) as error:
            cause = error.__cause__
            state = getattr(cause, "sqlstate", None)
            if state == _NO_TABLE:
                raise CommandError(
                    "The database has no tables yet: run `manage.py migrate` first."
                ) from error
            if isinstance(error, ProgrammingError):
                raise
            first = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database did not do it, nothing was kept; see to it and try again: {first}"
            ) from error
