"""What the roll's commands share: the town and list they act on, one clear line on failure, JSON on request."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import NotFound, Problem
from assessment.region.models import Person, Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.region.selectors import get_actor, get_town, list_people
from assessment.roll.models import GrandList
from assessment.roll.selectors import get_grand_list


class RollCommand(ExplainedCommand):
    """A command about one list of one town; subclasses implement `act` inside the town's scope."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument(
            "--year", required=True, type=int, help="grand list year: assessed on its 1 October"
        )
        parser.add_argument("--kind", default="real", choices=GrandList.Kind.values, help="default: real")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = get_town(options["town"])
            actor = self.actor(town, options)
            with scope(actor, towns=[town.code], reason=self.reason(options)):
                result = self.act(town, actor, options)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.report(result, options)

    def actor(self, town: Town, options: dict[str, Any]) -> Actor:
        """Return on whose behalf the command acts; the operator's, unless a subclass says otherwise."""
        return Actor.system(self.__module__.rsplit(".", 1)[-1])

    def reason(self, options: dict[str, Any]) -> str:
        """Return what the journal says of the command's writes."""
        return self.__module__.rsplit(".", 1)[-1].replace("_", " ")

    def act(self, town: Town, actor: Actor, options: dict[str, Any]) -> dict[str, Any]:
        """Do the command's one thing and return its result: plain values, with ``lines`` for a person."""
        raise NotImplementedError

    def report(self, result: dict[str, Any], options: dict[str, Any]) -> None:
        """Print the result for a person or, with --json, for a program."""
        lines = result.pop("lines", [])
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=1, ensure_ascii=False, default=str))
            return
        for line in lines:
            self.stdout.write(line)

    @staticmethod
    def grand_list(town: Town, options: dict[str, Any]) -> GrandList:
        """Return the list that the command is about; `NotFound` names the town's lists."""
        return get_grand_list(town.code, options["year"], options["kind"])


def signer_of(town: Town, email: str | None) -> Actor:
    """Return the person who signs: the one named, or the town's only assessor.

    Raises
    ------
    NotFound
        Nobody has this address; or the town has no assessor, or several.
    """
    today = timezone.localdate()
    if email:
        person = Person.objects.filter(email=email.lower()).first()
        if person is None:
            raise NotFound(f"Nobody has the address {email}.")
    else:
        person = _only_assessor(town)
    with transaction.atomic():
        return get_actor(person, on=today)


def _only_assessor(town: Town) -> Person:
    today = timezone.localdate()
    with scope(Actor.system("sign"), read_only=[town.code]):
        people = [person for person, _ in list_people(town.code, on=today)]
    signers = []
    for person in people:
        with transaction.atomic():
            if get_actor(person, on=today).may(Permission.SIGN_LIST, town.code):
                signers.append(person)
    if len(signers) != 1:
        names = ", ".join(person.email for person in signers) or "nobody"
        raise NotFound(f"Say who signs with --signer; in {town.name} may sign: {names}.")
    return signers[0]
