"""Opening accounts in bulk, for what an import finds and the record does not know yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from assessment.property.accounts import next_account_number
from assessment.property.bulk import insert_rows
from assessment.property.models import Complex, Property, PropertyAlias
from assessment.property.rules.addresses import split_address
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.rules import Permission

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A real-estate account to open.

    Attributes
    ----------
    aliases
        Outside identifiers as (`PropertyAlias.IdType` value, identifier).
    location_ft
        A point on the land, EPSG:2234.
    """

    aliases: tuple[tuple[str, str], ...]
    address: str = ""
    use_description: str = ""
    acres: Decimal | None = None
    land_sqft: int | None = None
    location_ft: tuple[float, float] | None = None


def open_real_accounts(
    accounts: Sequence[NewAccount], *, actor: Actor, town_code: int, source: str, on: dt.date
) -> list[UUID]:
    """Open one real-estate account for each of `accounts`, with its aliases, in the order given.

    Account numbers follow the town's highest; the caller holds the town's import lock.

    Parameters
    ----------
    source
        Where the identifiers come from; kept on each alias.
    on
        The day from which the identifiers hold.

    Returns
    -------
    list of UUID
        The properties, in the same order.

    Raises
    ------
    Forbidden
        The actor may not import in the town.
    """
    actor.require(Permission.IMPORT, town_code)
    first = next_account_number(town_code)
    rows = [_property(account, town_code, first + place) for place, account in enumerate(accounts)]
    ids: list[UUID] = [row["id"] for row in rows]
    aliases = [
        {**alias, "town_id": town_code, "valid_from": on, "source": source[:120]}
        for alias in _aliases(ids, accounts)
    ]
    for start in range(0, len(rows), _BATCH):
        insert_rows(Property, rows[start : start + _BATCH])
    for start in range(0, len(aliases), _BATCH):
        insert_rows(PropertyAlias, aliases[start : start + _BATCH])
    return ids


def rename_aliases(
    renamed: Sequence[tuple[UUID, str]],
    *,
    actor: Actor,
    town_code: int,
    id_type: str,
    source: str,
    on: dt.date,
) -> None:
    """Give properties a new identifier of one kind from a day on; the one before ends on that day."""
    actor.require(Permission.IMPORT, town_code)
    ids = [property_id for property_id, _ in renamed]
    PropertyAlias.objects.filter(
        town_id=town_code, property__in=ids, id_type=id_type, valid_to=None, valid_from__lt=on
    ).update(valid_to=on)
    insert_rows(
        PropertyAlias,
        [
            {
                "id": new_id(),
                "town_id": town_code,
                "property_id": property_id,
                "id_type": id_type,
                "value": value[:80],
                "valid_from": on,
                "source": source[:120],
            }
            for property_id, value in renamed
        ],
    )


def open_complexes(complexes: Sequence[tuple[str, str]], *, actor: Actor, town_code: int) -> int:
    """Make a condominium complex for each (code, address) that the town does not have; return how many."""
    actor.require(Permission.IMPORT, town_code)
    known = set(Complex.objects.filter(town_id=town_code).values_list("code", flat=True))
    return insert_rows(
        Complex,
        [
            {
                "id": new_id(),
                "town_id": town_code,
                "code": code[:40],
                "name": (address or code)[:120],
                "address": address[:160],
            }
            for code, address in complexes
            if code[:40] not in known
        ],
    )


def _property(account: NewAccount, town_code: int, number: int) -> dict[str, Any]:
    parts = split_address(account.address)
    x_ft, y_ft = account.location_ft or (None, None)
    return {
        "id": new_id(),
        "town_id": town_code,
        "kind": Property.Kind.REAL.value,
        "account_number": str(number),
        "address": account.address[:160],
        "address_number": parts.number[:20],
        "street_name": parts.street[:100],
        "unit": parts.unit[:20],
        "use_description": account.use_description[:120],
        "total_acres": account.acres,
        "land_sqft": account.land_sqft,
        "location_x_ft": x_ft,
        "location_y_ft": y_ft,
    }


def _aliases(ids: Sequence[UUID], accounts: Sequence[NewAccount]) -> Iterator[dict[str, Any]]:
    for property_id, account in zip(ids, accounts, strict=True):
        for id_type, value in account.aliases:
            yield {"id": new_id(), "property_id": property_id, "id_type": id_type, "value": value[:80]}
