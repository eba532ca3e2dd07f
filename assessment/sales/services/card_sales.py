"""Sales that record cards mention, with the vendor's own mark of qualified or not."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from assessment.property.bulk import in_batches, insert_rows, update_rows
from assessment.property.imports.outcome import StatedSale
from assessment.property.statistics import analyze_after
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from assessment.sales.parameters import validity_rules
from assessment.sales.rules.validity import suggest_card_validity

_BATCH = 2_000
_FIRST_MONTH_OF_LIST = 10
_SURE = 100
Deed = tuple[dt.date | None, int | None, str]
_STATED = ("recorded_on", "address", "price", "nonuse_raw", "suggested_validity", "suggested_reason")


def take_over_card_sales(
    sales: Iterable[StatedSale], *, actor: Actor, town_code: int, import_run_id: UUID | None = None
) -> Counter[str]:
    """Bring the sales that an import of cards found into the record.

    A sale is known again by its card, its day and its book and page. The same cards again change nothing;
    decisions stand.

    Returns
    -------
    Counter
        ``added``, ``changed``, ``unchanged``, and ``without_price``, which are left out.

    Raises
    ------
    Forbidden
        The actor may not import in the town.
    """
    actor.require(Permission.IMPORT, town_code)
    counts: Counter[str] = Counter()
    rows = _rows(sales, counts)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    with scope(actor, towns=[town_code], reason="sales on record cards"):
        known = {
            (one["list_year"], one["serial_number"]): one
            for one in Transfer.objects.filter(town_id=town_code, source=Transfer.Source.CARD).values(
                "id", "town_id", "list_year", "serial_number", *_STATED
            )
        }
        for key, row in rows.items():
            held = known.get(key)
            if held is None:
                new.append({"id": new_id(), "town_id": town_code, "import_run_id": import_run_id, **row})
            elif any(held[name] != row[name] for name in _STATED):
                changed.append({**held, **{name: row[name] for name in _STATED}})
        for batch in in_batches(new, _BATCH):
            insert_rows(Transfer, batch)
        for batch in in_batches(changed, _BATCH):
            update_rows(Transfer, batch, _STATED)
    analyze_after({Transfer: len(new) + len(changed)})
    counts.update(added=len(new), changed=len(changed), unchanged=len(rows) - len(new) - len(changed))
    return counts


def _rows(sales: Iterable[StatedSale], counts: Counter[str]) -> dict[tuple[int, str], dict[str, Any]]:
    """Return the sales as rows by their natural key; a card often repeats a sale."""
    sales = list(sales)
    cards_of_deed: dict[Deed, set[str]] = defaultdict(set)
    for sale in sales:
        cards_of_deed[_deed(sale)].add(sale.card_key)
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for sale in sales:
        if sale.sold_on is None or sale.price is None:
            counts["without_price"] += 1
            continue
        list_year = list_year_of(sale.sold_on)
        serial = f"{sale.card_key} {sale.sold_on:%Y%m%d} {sale.book_page}".strip()[:40]
        suggestion = suggest_card_validity(
            qualified=sale.qualified,
            price=sale.price,
            is_of_several=bool(sale.book_page) and len(cards_of_deed[_deed(sale)]) > 1,
            rules=validity_rules(sale.sold_on),
        )
        row = {
            "source": Transfer.Source.CARD.value,
            "list_year": list_year,
            "serial_number": serial,
            "recorded_on": sale.sold_on,
            "address": sale.address,
            "price": sale.price,
            "nonuse_raw": sale.qualified[:80],
            "suggested_validity": suggestion.validity.value,
            "suggested_reason": suggestion.reason,
            "property_id": sale.property_id,
            "match_method": Transfer.ON_CARD,
            "match_score": _SURE,
        }
        # The newest sale carries the mark; an older column may repeat it without one.
        if (list_year, serial) not in rows or sale.qualified:
            rows[list_year, serial] = row
    return rows


def _deed(sale: StatedSale) -> Deed:
    return sale.sold_on, sale.price, sale.book_page


def list_year_of(day: dt.date) -> int:
    """Return the grand list in force on a day: that of the latest 1 October."""
    return day.year if day.month >= _FIRST_MONTH_OF_LIST else day.year - 1
