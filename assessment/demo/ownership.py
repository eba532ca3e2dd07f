"""Owners for properties that no source names an owner of."""

from __future__ import annotations

import datetime as dt

from assessment.demo.rules.owners import invent_owners
from assessment.property.bulk import in_batches, insert_rows
from assessment.property.models import Owner, Ownership, Property
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.scope import scope

_BATCH = 5_000
_SINCE = dt.date(2015, 10, 1)
_COMPANY_CLASSES = ("200", "300", "400")


def give_invented_owners(town: Town, *, actor: Actor) -> int:
    """Give every real property of the town that has no owner an invented one, marked synthetic.

    Returns
    -------
    int
        How many were given; a second call gives none.
    """
    with scope(actor, towns=[town.code], reason="invented owners of the demonstration"):
        without = list(
            Property.objects.filter(
                town_id=town.code, kind=Property.Kind.REAL, is_retired=False, ownerships__isnull=True
            )
            .order_by("account_number")
            .values_list("id", "account_number", "address", "state_class")
        )
        names = invent_owners(
            [f"{town.code}|{account}" for _, account, _, _ in without],
            is_company=[state_class in _COMPANY_CLASSES for *_, state_class in without],
        )
        for batch in in_batches(zip(without, names, strict=True), _BATCH):
            owners, ownerships = [], []
            for (property_id, _, address, _), invented in batch:
                owner = {
                    "id": new_id(),
                    "town_id": town.code,
                    "name": invented.name,
                    "co_name": invented.co_name,
                    "mailing_address": address,
                    "mailing_city": town.name,
                    "mailing_state": town.state,
                    "is_synthetic": True,
                }
                owners.append(owner)
                ownerships.append(
                    {
                        "id": new_id(),
                        "town_id": town.code,
                        "property_id": property_id,
                        "owner_id": owner["id"],
                        "valid_from": _SINCE,
                    }
                )
            insert_rows(Owner, owners)
            insert_rows(Ownership, ownerships)
    return len(without)
