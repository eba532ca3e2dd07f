"""The people of the demonstration, and how to sign in as them."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assessment.region.actors import Actor
from assessment.region.models import Person, Town
from assessment.region.rules import Role
from assessment.region.scope import scope
from assessment.region.services import assign_role, create_person

SINCE = dt.date(2021, 10, 1)
_CERTIFICATE = {
    "certificate_level": "CCMA II",
    "certificate_number": "demo",
    "certificate_expires_on": dt.date(2030, 12, 31),
}
# Without letters and digits that are taken for one another, since people type these.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Sample:
    """Somebody of the demonstration: ``town`` is a slug, or blank for every town."""

    mailbox: str
    name: str
    role: Role
    town: str = ""

    @property
    def email(self) -> str:
        """An address under a name that is reserved for examples."""
        return f"{self.mailbox}@{self.town or 'region'}.example"


_IN_EACH_TOWN = (
    ("assessor", Role.ASSESSOR),
    ("deputy", Role.DEPUTY),
    ("collector", Role.DATA_COLLECTOR),
    ("clerk", Role.CLERK),
    ("board", Role.BAA_MEMBER),
)
_NAMES = {
    "hamden": ("Ada Wells", "Ben Ortiz", "Cora Lind", "Dov Stern", "Eve Nakamura"),
    "west-hartford": ("Faye Moreau", "Gil Santos", "Hope Adeyemi", "Ivan Petrov", "June Park"),
    "new-haven": ("Karim Haddad", "Lena Fischer", "Milo Greco", "Nina Shah", "Otis Brown"),
    "lebanon-nh": ("Pia Larsen", "Quinn Daly", "Rosa Vega", "Sam Whitfield", "Tess Young"),
}
_REGIONAL = (
    Sample("coordinator", "Uma Raman", Role.COORDINATOR),
    Sample("appraiser", "Viktor Novak", Role.REVIEWER),
)


def samples(towns: Iterable[Town]) -> list[Sample]:
    """Return the people of the demonstration: five in each town, two for the region."""
    found = [
        Sample(mailbox, name, role, town.slug)
        for town in towns
        for (mailbox, role), name in zip(_IN_EACH_TOWN, _NAMES[town.slug], strict=True)
    ]
    return [*found, *_REGIONAL]


def add_people(towns: list[Town], *, actor: Actor, sign_in_file: Path) -> int:
    """Make the sample people with their roles, and keep their passwords in ``sign_in_file``.

    Passwords are made once; when the file is lost, all sample people get new ones.

    Returns
    -------
    int
        How many people were added or given a new password.
    """
    wanted = samples(towns)
    known = {person.email: person for person in Person.objects.filter(is_sample=True)}
    if sign_in_file.is_file() and all(sample.email in known for sample in wanted):
        return 0
    passwords: dict[str, str] = {}
    codes = {town.slug: [town.code] for town in towns}
    everywhere = [town.code for town in towns]
    by_code = {town.code: town for town in towns}
    for sample in wanted:
        passwords[sample.email] = password = _password()
        person = known.get(sample.email)
        if person is None:
            person = create_person(
                sample.email, actor=actor, name=sample.name, password=password, is_sample=True, **_CERTIFICATE
            )
        else:
            person.set_password(password)
            person.save(update_fields=["password"])
        for code in codes.get(sample.town, everywhere):
            with scope(actor, towns=[code], reason="people of the demonstration"):
                assign_role(person, actor=actor, town=by_code[code], role=sample.role, valid_from=SINCE)
    _write_sign_in(sign_in_file, wanted, passwords)
    return len(wanted)


def _password() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def _write_sign_in(path: Path, people: list[Sample], passwords: dict[str, str]) -> None:
    """Write the addresses and passwords where only the operator may read them."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    width = max(len(sample.email) for sample in people)
    lines = [
        f"{sample.email:<{width}}  {passwords[sample.email]}  {sample.role.value.replace('_', ' ')}\n"
        for sample in people
    ]
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(lines)
    draft.replace(path)
