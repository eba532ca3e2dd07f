"""`manage.py gis_token`: a token with which a GIS tool reads the land as a person may."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assessment.region.models import Person
from gis.ogc.access import make_token

EXAMPLES = """\
examples:
  manage.py gis_token ada@example.org
  manage.py gis_token ada@example.org --days 30

Give the token to QGIS or ArcGIS as the password of the address https://SERVER/ogc/ (any user name), or
send it as "Authorization: Bearer TOKEN". It reads the towns in which the person holds a role on the day of
reading, and ends when the person's password changes.
"""


class Command(BaseCommand):
    """Prints a token."""

    help = "Print a token with which a GIS tool reads a person's towns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("email", help="whose towns are read")
        parser.add_argument("--days", type=int, default=365, help="how long it holds (the default: 365)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            raise CommandError("--days must be at least 1.")
        person = Person.objects.filter(email=options["email"].lower(), is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody with the address {options['email']} can sign in.")
        self.stdout.write(make_token(person, days=options["days"], now=timezone.now()))
