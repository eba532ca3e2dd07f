"""Django's `migrate`, run as the owner of the schema: the application role may not change tables."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from assessment.region.owner import connect_as_owner


class Command(migrate.Command):
    help = migrate.Command.help + " Runs as the owner role, never as the application's."

    def handle(self, *args: Any, **options: Any) -> None:
        with connect_as_owner(connections[options["database"]]):
            super().handle(*args, **options)
