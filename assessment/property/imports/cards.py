"""Import record cards of one town from a table."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from assessment.property.accounts import next_account_number
from assessment.property.bulk import in_batches, rare_collection
from assessment.property.imports.codes import known_codes, put_codes
from assessment.property.imports.edits import IMPORT_REASON
from assessment.property.imports.fitting import FittedCard, fit_card
from assessment.property.imports.matching import load_matcher
from assessment.property.imports.outcome import ImportOutcome, StatedSale
from assessment.property.imports.runs import finish_run, lock_imports, start_run
from assessment.property.imports.writing import BatchWriter, count_written
from assessment.property.models import Code, ImportRun
from assessment.property.prefetch import prefetch
from assessment.property.statistics import analyze_after
from assessment.property.tabular.cards import Card, CardReader
from assessment.property.tabular.converters import ConversionError
from assessment.property.tabular.problems import RowProblem, RowReport, RowsRefused
from assessment.property.tabular.reading import open_table
from assessment.property.tabular.shipped import choose_mapping
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.progress import bar
from assessment.region.rules import Permission
from assessment.region.scope import scope

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class CardImport:
    """What to import and how.

    Attributes
    ----------
    mapping
        Name of a shipped mapping or path of a mapping file; blank to find it by the header.
    list_year
        The list whose values the cards state, where the file does not say.
    effective_on
        The day on which the cards are true; 1 October of the list year unless given.
    on_error
        ``skip`` leaves refused rows out; ``abort`` imports nothing if a row is refused.
    """

    path: Path
    list_year: int
    mapping: str = ""
    sheet: str = ""
    on_error: str = "skip"
    is_dry_run: bool = False
    effective_on: dt.date | None = None


class _DryRun(Exception):
    """Takes everything back at the end of a dry run."""


def import_cards(town: Town, *, actor: Actor, wanted: CardImport) -> ImportOutcome:
    """Import record cards into the record of ``town``.

    Afterwards each card that could be used is a property with its identifiers, land, first building, owner
    and stated values. All of it happens in one transaction: a killed import leaves nothing. The same file
    again changes nothing; fields that people changed since are left as they are, and reported. The values
    on the cards become `StatedValue` rows, for balancing and comparing.

    Raises
    ------
    FileUnreadable, ColumnsMissing, MappingInvalid
        The file or its mapping cannot be used at all.
    RowsRefused
        With ``on_error="abort"`` when a row is refused; its data hold the report.
    Forbidden
        The actor may not import in the town.
    """
    actor.require(Permission.IMPORT, town.code)
    table = open_table(wanted.path, sheet=wanted.sheet)
    mapping = choose_mapping(table.header, wanted.mapping)
    outcome = ImportOutcome(
        "cama", wanted.path.name, mapping.name, wanted.list_year, wanted.is_dry_run, encoding=table.encoding
    )
    began = time.monotonic()
    run = start_run(town, wanted.path, actor=actor, outcome=outcome)
    reason = f"{IMPORT_REASON}{wanted.path.name}"
    refused: RowsRefused | None = None
    try:
        with (
            rare_collection(),
            scope(actor, towns=[town.code], reason=reason, effective_on=_effective_on(wanted)),
        ):
            lock_imports(town.code)
            reader = CardReader(mapping, table, _town_keys(town), known_codes(town.code))
            _import_all(town, reader, wanted, run, outcome)
            if wanted.is_dry_run:
                raise _DryRun
            outcome.duration_s = time.monotonic() - began
            finish_run(run, outcome)
    except _DryRun:
        pass
    except RowsRefused as error:
        refused = error
    if wanted.is_dry_run or refused:
        outcome.duration_s = time.monotonic() - began
        with scope(actor, towns=[town.code], reason=reason):
            finish_run(run, outcome, nothing_written=True)
    if refused:
        raise refused
    if not wanted.is_dry_run:
        analyze_after(count_written(outcome.counts))
    return outcome


def _import_all(
    town: Town, reader: CardReader, wanted: CardImport, run: ImportRun, outcome: ImportOutcome
) -> None:
    key_type = reader.mapping.key.partition(".")[2]
    kinds = [rule.name for rule in reader.mapping.rules if rule.part == "alias"]
    matcher = load_matcher(town.code, key_type, kinds)
    uses = {code.code: code for code in Code.objects.filter(town_id=town.code, table="use")}
    began_on = _effective_on(wanted)
    writer = BatchWriter(
        town.code, run.id, began_on, wanted.path.name, next_account_number(town.code), uses, outcome.counts
    )
    report = outcome.report
    cards = bar(_fitted(reader, wanted, report), label=f"cards of {town.name}")

    def write(batch: Sequence[FittedCard], properties: Mapping[int, UUID]) -> None:
        outcome.counts["accepted"] += len(batch)
        if wanted.on_error == "abort" and report.rejected_rows:
            return  # nothing will be kept: only the findings are still wanted
        _add_uses(writer, reader)
        outcome.sales.extend(_sales(batch, writer.write(batch, properties)))

    for batch in prefetch(in_batches(cards, _BATCH)):
        write(*matcher.sift(batch))
    held_back, properties = matcher.settle()
    for batch in in_batches(held_back, _BATCH):
        rows = {fitted.card.row for fitted in batch}
        write(batch, {row: each for row, each in properties.items() if row in rows})
    report.extend(writer.findings)
    report.extend(matcher.findings())
    counts = outcome.counts
    counts["read"], counts["other_town"] = reader.rows, reader.other_town_rows
    counts["rejected"] = len(report.rejected_rows)
    counts["inserted_code"], counts["updated_code"] = put_codes(town.code, reader)
    outcome.columns_unused = reader.columns_unused
    outcome.unmapped_codes = [
        {"table": tally.table, "code": tally.entry.code, "label": tally.entry.label, "rows": tally.rows,
         "first_row": tally.first_row}
        for tally in reader.unknown_codes.values()
    ]  # fmt: skip
    if wanted.on_error == "abort" and report.rejected_rows:
        raise RowsRefused(
            f"{len(report.rejected_rows)} of {reader.rows} rows cannot be used; nothing was imported.",
            report=report.as_json(),
        )


def _fitted(reader: CardReader, wanted: CardImport, report: RowReport) -> Iterator[FittedCard]:
    for item in reader:
        if isinstance(item, RowProblem):
            report.add(item)
            continue
        try:
            yield fit_card(item, list_year=wanted.list_year)
        except ConversionError as error:
            sentence = f"{error.sentence}; the row is left out."
            report.add(RowProblem(item.row, "", "", error.reason, sentence, card=item.key))


def _add_uses(writer: BatchWriter, reader: CardReader) -> None:
    """Let the batch see the use codes that came up in it, as they will be in the town's table."""
    uses = dict(writer.uses)
    for (table, code), entry in list(reader.codes.items()):  # the reading thread adds to them
        if table == "use" and (code not in uses or not uses[code].is_mapped):
            uses[code] = Code(
                code=code, label=entry.label, state_class=entry.state_class, detail_code=entry.detail_code
            )
    writer.uses = uses


def _sales(batch: Iterable[FittedCard], properties: dict[int, UUID]) -> Iterator[StatedSale]:
    for fitted in batch:
        card: Card = fitted.card
        for part in sorted(name for name in card.parts if name.startswith("sale")):
            sale: dict[str, Any] = card.parts[part]
            if sale.get("date") is None:
                continue
            yield StatedSale(
                properties[card.row], card.key, card.row, sale.get("price"), sale["date"],
                sale.get("book_page", ""), sale.get("qualified", ""), fitted.address,
            )  # fmt: skip


def _effective_on(wanted: CardImport) -> dt.date:
    """Return the day on which the cards are true: the assessment date of their list, unless another is given."""
    return wanted.effective_on or dt.date(wanted.list_year, 10, 1)


def _town_keys(town: Town) -> frozenset[str]:
    return frozenset({town.name.casefold(), str(town.code), town.slug})
