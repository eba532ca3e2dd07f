"""Exports of a signed list: from its snapshot and its instruments, never from the live tables."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.db import transaction

from assessment.property.blobs import open_blob
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, NotFound
from assessment.region.models import Town
from assessment.region.progress import bar
from assessment.region.rules import Permission
from assessment.roll.errors import ListNotSigned
from assessment.roll.files.atomic import make_folder, whole_file, write_whole
from assessment.roll.files.book import Book
from assessment.roll.files.sheets import CsvTable, csv_table, workbook
from assessment.roll.files.tables import (
    EXEMPTION_COLUMNS,
    INSTRUMENT_COLUMNS,
    LINE_COLUMNS,
    account_columns,
    account_row,
    exemption_rows,
    line_rows,
)
from assessment.roll.models import Certification, GrandList
from assessment.roll.parameters import abstract_codes, parameter
from assessment.roll.rules.accounts import SignedAccount
from assessment.roll.rules.m13 import Abstract, tabulate
from assessment.roll.rules.profiles import PROFILES, Profile, shown
from assessment.roll.rules.standing import Listed, listed
from assessment.roll.selectors import (
    ListedInstrument,
    get_certification,
    iterate_accounts,
    list_instrument_lines,
    list_protected_properties,
)
from assessment.roll.services.signing import certification_copy

Basis = Literal["signed", "board", "current"]
BASES: dict[str, str] = {"signed": "as signed", "board": "after the board", "current": "current"}
FORMATS = ("csv", "xlsx", "pdf")


@dataclass(frozen=True, slots=True)
class Source:
    """What an export is made from: the certification, the accounts as a profile may see them, instruments."""

    grand_list: GrandList
    town: Town
    certification: Certification
    profile: Profile
    basis: str
    through: dt.date | None
    instruments: list[ListedInstrument]
    protected: set[str]

    def accounts(self) -> Iterator[Listed]:
        """Yield the accounts in list order, then those that instruments added."""
        by_property: dict[str, list[ListedInstrument]] = defaultdict(list)
        for line in self.instruments:
            by_property[line.property_id].append(line)
        for account in iterate_accounts(self.grand_list):
            lines = by_property.pop(account.property_id, [])
            yield self._listed(account, lines)
        for key, lines in by_property.items():
            first = lines[0]
            added = SignedAccount(
                0,
                first.list_number,
                key,
                first.account,
                first.owner,
                "",
                "",
                first.location,
                False,
                "",
                (),
                (),
            )
            yield self._listed(added, lines)

    def _listed(self, account: SignedAccount, lines: list[ListedInstrument]) -> Listed:
        visible = shown(account, self.profile, protected=account.property_id in self.protected)
        return listed(visible, [line.effect for line in lines])


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The files written and the control totals beside them."""

    folder: Path
    files: tuple[str, ...]
    control: dict[str, Any]


def board_finished_on(grand_list: GrandList) -> dt.date:
    """Return the last day whose instruments count as "after the board" of a list."""
    days = parameter("statement_deadlines").on(grand_list.assessment_on).value
    month, day = (int(part) for part in days["board"].split("-"))
    return dt.date(grand_list.year + 1, month, day)


def source_of(grand_list: GrandList, *, profile: str, basis: str, on: dt.date) -> Source:
    """Gather what an export is made from.

    Raises
    ------
    ListNotSigned, Invalid
    """
    if profile not in PROFILES:
        raise Invalid(f"A profile is one of {', '.join(PROFILES)}, not {profile!r}.")
    if basis not in BASES:
        raise Invalid(f"A basis is one of {', '.join(BASES)}, not {basis!r}.")
    try:
        certification = get_certification(grand_list)
    except NotFound as error:
        raise ListNotSigned(f"The {grand_list} is not signed: only a signed list is exported.") from error
    through = board_finished_on(grand_list) if basis == "board" else None
    return Source(
        grand_list=grand_list,
        town=Town.objects.defer("boundary").get(pk=grand_list.town_id),
        certification=certification,
        profile=PROFILES[profile],
        basis=basis,
        through=through,
        instruments=[] if basis == "signed" else list_instrument_lines(grand_list, through=through),
        protected={str(key) for key in list_protected_properties(grand_list.town_id, on=on)},
    )


@transaction.atomic
def export_grand_list(
    grand_list: GrandList,
    *,
    actor: Actor,
    folder: Path,
    on: dt.date,
    profile: str = "statutory",
    basis: str = "current",
    formats: tuple[str, ...] = FORMATS,
) -> ExportReport:
    """Write a signed list as CSV (accounts, lines, exemptions, instruments), Excel and a printed book.

    Beside them: ``control_totals.json`` with the sums, rows and SHA-256 of every file, the certification
    and its page. Each file is whole or not there.

    Parameters
    ----------
    on
        Today, for who is protected from disclosure today.
    profile
        statutory, public, foi, collector or cog: see `rules.profiles`. The collector's, which suppresses
        nothing, needs the permission to see what is confidential.
    basis
        signed, board or current: which instruments count in the columns ``..._after``.

    Raises
    ------
    Forbidden, ListNotSigned, Invalid, OutputNotWritten
    """
    actor.require(Permission.EXPORT_LIST, grand_list.town_id)
    source = source_of(grand_list, profile=profile, basis=basis, on=on)
    if not source.profile.suppress:
        actor.require(Permission.VIEW_CONFIDENTIAL, grand_list.town_id)
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise Invalid(f"There is no format {', '.join(sorted(unknown))}; there are {', '.join(FORMATS)}.")
    make_folder(folder)
    stem = f"{source.town.slug}-{grand_list.year}-{grand_list.kind.replace('_', '-')}-{profile}"
    rows, sums = _write(source, folder, stem, formats)
    control = _control(source, sums, rows, folder)
    write_whole(folder / f"{stem}-certification.json", _json(certification_copy(source.certification)))
    with open_blob(source.certification.pdf_sha256) as page:
        write_whole(folder / f"{stem}-certification.pdf", page.read())
    write_whole(folder / f"{stem}-control-totals.json", _json(control))
    return ExportReport(folder, (*rows, f"{stem}-control-totals.json"), control)


def _write(
    source: Source, folder: Path, stem: str, formats: tuple[str, ...]
) -> tuple[dict[str, int], dict[str, int]]:
    codes = abstract_codes()
    details = codes.details_of(
        "motor_vehicle" if source.grand_list.kind == "supplemental" else source.grand_list.kind
    )
    component_of = {item.code: item.component for item in details}
    columns = account_columns(source.profile)
    sums = dict.fromkeys(
        ("accounts", "gross", "exempt", "net", "gross_after", "exempt_after", "net_after"), 0
    )
    files: dict[str, int] = {}
    with ExitStack() as stack:
        tables: dict[str, CsvTable] = {}
        if "csv" in formats:
            for name, heads in (
                ("accounts", columns), ("lines", LINE_COLUMNS), ("exemptions", EXEMPTION_COLUMNS),
                ("instruments", INSTRUMENT_COLUMNS),
            ):  # fmt: skip
                tables[name] = stack.enter_context(csv_table(folder / f"{stem}-{name}.csv", heads))
        book = stack.enter_context(workbook(folder / f"{stem}.xlsx")) if "xlsx" in formats else None
        add_to_sheet = book.sheet("Accounts", columns, {"owner": 30, "location": 28}) if book else None
        printed = (
            _book(source, stack.enter_context(whole_file(folder / f"{stem}.pdf")), details)
            if "pdf" in formats
            else None
        )
        for item in bar(source.accounts(), total=source.certification.accounts, label="accounts"):
            _sum(sums, item)
            if tables or add_to_sheet:
                row = account_row(item, columns, component_of)
                if add_to_sheet:
                    add_to_sheet(row)
            if tables:
                tables["accounts"].add(row)
                for line in line_rows(item):
                    tables["lines"].add(line)
                for part in exemption_rows(item):
                    tables["exemptions"].add(part)
            if printed:
                printed.add(item)
        instruments = [_instrument_row(source, line) for line in source.instruments]
        if tables:
            for cells in instruments:
                tables["instruments"].add(cells)
        if book:
            _more_sheets(book, source, instruments, sums)
            files[f"{stem}.xlsx"] = sums["accounts"]
        if printed:
            printed.finish(_recapitulation(source, sums))
            files[f"{stem}.pdf"] = printed.pages
        files |= {f"{stem}-{name}.csv": table.rows for name, table in tables.items()}
    return files, sums


def _sum(sums: dict[str, int], item: Listed) -> None:
    sums["accounts"] += 1
    sums["gross"] += item.account.gross
    sums["exempt"] += item.account.exempt
    sums["net"] += item.account.net
    sums["gross_after"] += item.gross_after
    sums["exempt_after"] += item.exempt_after
    sums["net_after"] += item.net_after


def _book(source: Source, draft: Path, details: list[Any]) -> Book:
    grand_list = source.grand_list
    return Book(
        draft,
        title=f"{source.town.name}, Connecticut: grand list of 1 October {grand_list.year}",
        subtitle=f"{grand_list.get_kind_display()}, {BASES[source.basis]}; root {source.certification.root[:16]}...",
        labels={item.code: item.label for item in details},
    )


def _instrument_row(source: Source, line: ListedInstrument) -> list[str | int]:
    told = source.profile.exemption_codes
    code = line.code if told or line.section != "exemption" else "ALL"
    return [
        line.number, line.kind, line.dated_on.isoformat(), line.list_number, line.account, line.section, code,
        line.appraised_change, line.amount_change, line.statute if told else "", line.explanation if told else "",
    ]  # fmt: skip


def _more_sheets(book: Any, source: Source, instruments: list[list[str | int]], sums: dict[str, int]) -> None:
    add = book.sheet("Instruments", INSTRUMENT_COLUMNS, {"explanation": 40})
    for row in instruments:
        add(row)
    add = book.sheet("Totals", ("figure", "dollars"), {"figure": 40})
    for name, amount in sums.items():
        add([name.replace("_", " "), amount])
    add([f"basis: {BASES[source.basis]}"])
    add([f"root {source.certification.root}"])


def _recapitulation(source: Source, sums: dict[str, int]) -> list[tuple[str, str]]:
    signed = tabulate(iterate_accounts(source.grand_list))
    rows = [(name.replace("_", " "), f"{amount:,}") for name, amount in sums.items()]
    rows += _by_class(source.grand_list, signed)
    rows += [(f"exempt property {code}: {cell.count:,} accounts", f"{cell.amount:,}")
             for code, cell in signed.exempt_property.items()]  # fmt: skip
    rows.append((f"root {source.certification.root}", ""))
    return rows


def _by_class(grand_list: GrandList, signed: Abstract) -> list[tuple[str, str]]:
    codes = abstract_codes()
    kind = "motor_vehicle" if grand_list.kind == "supplemental" else grand_list.kind
    class_of = {item.code: item.state_class for item in codes.details_of(kind)}
    return [
        (f"class {name} {codes.classes[name]}", f"{cell.amount:,}")
        for name, cell in signed.by_class(class_of).items()
    ]


def _control(source: Source, sums: dict[str, int], rows: dict[str, int], folder: Path) -> dict[str, Any]:
    certification = source.certification
    return {
        "town": source.town.code,
        "town_name": source.town.name,
        "year": source.grand_list.year,
        "kind": source.grand_list.kind,
        "profile": source.profile.name,
        "basis": BASES[source.basis],
        "through": source.through.isoformat() if source.through else None,
        "root": certification.root,
        "signed": {name: getattr(certification, name) for name in ("accounts", "gross", "exempt", "net")},
        "totals": {
            "accounts": sums["accounts"],
            **{name: sums[f"{name}_after"] for name in ("gross", "exempt", "net")},
        },
        "exported": sums,
        "instruments": len({line.number for line in source.instruments}),
        "files": {
            name: {"rows": number, "sha256": _sha256(folder / name)} for name, number in sorted(rows.items())
        },
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"
