"""Add somebody who signs in, or give somebody known a further role."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.models import Person
from assessment.region.rules import Role
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from assessment.region.services import assign_role, create_person


class Command(ExplainedCommand):
    help = """Add a person with a role in a town.

examples:
  manage.py add_person --email ada@town.gov --name "Ada Lovelace" --town hamden --role assessor
  manage.py add_person --email ada@town.gov --town west-hartford --role reviewer
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", help="needed for somebody new")
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument(
            "--from", dest="valid_from", type=dt.date.fromisoformat, help="YYYY-MM-DD, today if left out"
        )
        parser.add_argument(
            "--until", dest="valid_to", type=dt.date.fromisoformat, help="YYYY-MM-DD, exclusive"
        )
        parser.add_argument("--certificate", help="level, for example 'CCMA II'")
        parser.add_argument("--certificate-number", default="")
        parser.add_argument("--certificate-expires", type=dt.date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument(
            "--generate-password", action="store_true", help="print a new password instead of asking"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("add_person")
        try:
            with transaction.atomic():
                town = get_town(options["town"])
                person = Person.objects.filter(email=options["email"].lower()).first()
                if person is None:
                    person = self._create(actor, options)
                with scope(actor, towns=[town.code], reason="role given by the operator"):
                    assign_role(
                        person,
                        actor=actor,
                        town=town,
                        role=Role(options["role"]),
                        valid_from=options["valid_from"] or timezone.localdate(),
                        valid_to=options["valid_to"],
                    )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(f"{person.name} <{person.email}> is {options['role']} in {town.name}.")

    def _create(self, actor: Actor, options: dict[str, Any]) -> Person:
        if not options["name"]:
            raise CommandError(f"{options['email']} is not known yet: give --name too.")
        password = (
            secrets.token_urlsafe(15) if options["generate_password"] else getpass.getpass("Password: ")
        )
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        person = create_person(
            options["email"],
            actor=actor,
            name=options["name"],
            password=password,
            certificate_level=options["certificate"] or "",
            certificate_number=options["certificate_number"],
            certificate_expires_on=options["certificate_expires"],
        )
        if options["generate_password"]:
            self.stdout.write(f"Password (shown once): {password}")
        return person
