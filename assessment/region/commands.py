"""What every command of ours has in common."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand


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
