"""The state's abstract of a signed list: M-13 by class and M-13a, with the bridge to "after the board"."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.roll.errors import ListNotSigned
from assessment.roll.files.abstract import write_abstract
from assessment.roll.files.atomic import make_folder, whole_file, write_whole
from assessment.roll.models import Certification, GrandList, Instrument
from assessment.roll.parameters import abstract_codes, partial_exemptions
from assessment.roll.rules.codes import AbstractCodes, UnknownCodeError
from assessment.roll.rules.m13 import Abstract, Bridge, Cell, Table, bridge, tabulate
from assessment.roll.selectors import get_certification, iterate_accounts, list_instrument_lines
from assessment.roll.services.exporting import board_finished_on

HEAD = ("section", "class", "code", "label", "basis", "accounts", "dollars")


@dataclass(frozen=True, slots=True)
class M13:
    """The abstract of one list and what it was made from."""

    grand_list: GrandList
    certification: Certification
    through: dt.date
    bridge: Bridge

    @property
    def stages(self) -> list[tuple[str, Abstract]]:
        """As signed, each step of the bridge, and after the board."""
        labels = dict(Instrument.Kind.choices)
        return [
            ("as signed", self.bridge.signed),
            *((labels[step.kind].lower(), step.change) for step in self.bridge.steps),
            ("after the board", self.bridge.after),
        ]


@transaction.atomic
def get_m13(grand_list: GrandList, *, actor: Actor, through: dt.date | None = None) -> M13:
    """Return the abstract of a signed list with its instruments up to and including a day.

    Raises
    ------
    ListNotSigned
        It is not signed.
    """
    actor.require(Permission.VIEW, grand_list.town_id)
    try:
        certification = get_certification(grand_list)
    except NotFound as error:
        raise ListNotSigned(
            f"The {grand_list} is not signed: the abstract is made of a signed list."
        ) from error
    day = through or board_finished_on(grand_list)
    signed = tabulate(iterate_accounts(grand_list))
    effects = [line.effect for line in list_instrument_lines(grand_list, through=day)]
    return M13(grand_list, certification, day, bridge(signed, effects, through=day))


def export_m13(
    grand_list: GrandList, *, actor: Actor, folder: Path, through: dt.date | None = None
) -> tuple[M13, tuple[Path, ...]]:
    """Write the M-13 and M-13a as CSV, as a printed page with the bridge, and their sums as JSON.

    Raises
    ------
    Forbidden, ListNotSigned, OutputNotWritten
    """
    actor.require(Permission.EXPORT_LIST, grand_list.town_id)
    made = get_m13(grand_list, actor=actor, through=through)
    town = Town.objects.defer("boundary").get(pk=grand_list.town_id)
    make_folder(folder)
    stem = f"{town.slug}-{grand_list.year}-{grand_list.kind.replace('_', '-')}-m13"
    table, page, totals = (folder / f"{stem}{suffix}" for suffix in (".csv", ".pdf", ".json"))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(_rows(made))
    write_whole(table, text.getvalue().encode())
    with whole_file(page) as draft:
        write_abstract(
            draft,
            title=f"{town.name}, Connecticut: M-13 and M-13a, grand list of 1 October {grand_list.year}",
            subtitle=f"{grand_list.get_kind_display()}; instruments through {made.through}; root {made.certification.root}",
            tables=list(_printed(made)),
        )
    write_whole(totals, json.dumps(totals_of(made), indent=1).encode() + b"\n")
    return made, (table, page, totals)


def totals_of(made: M13) -> dict[str, object]:
    """Return the sums of each stage of the abstract."""
    return {
        "town": made.grand_list.town_id,
        "year": made.grand_list.year,
        "kind": made.grand_list.kind,
        "root": made.certification.root,
        "through": made.through.isoformat(),
        "stages": [
            {"basis": name, "gross": stage.gross, "exemptions": stage.exemptions, "net": stage.net,
             "exempt_property": stage.exempt}
            for name, stage in made.stages
        ],
    }  # fmt: skip


def _kind(grand_list: GrandList) -> str:
    return "motor_vehicle" if grand_list.kind == "supplemental" else grand_list.kind


def _classes(made: M13, codes: AbstractCodes) -> Mapping[str, str]:
    return {item.code: item.state_class for item in codes.details_of(_kind(made.grand_list))}


def _label(codes: AbstractCodes, kind: str, section: str, code: str) -> str:
    try:
        if section == "assessed":
            return codes.detail(kind, code).label
        if section == "exempt_property":
            return codes.exempt_label(code)
    except UnknownCodeError:
        return ""
    found = partial_exemptions().get(code)
    return str(found["label"]) if found else ""


def _section(abstract: Abstract, section: str) -> Table:
    tables: dict[str, Table] = {
        "assessed": abstract.assessed,
        "exemption": abstract.exemption,
        "exempt_property": abstract.exempt_property,
    }
    return tables[section]


def _rows(made: M13) -> Iterator[tuple[str | int, ...]]:
    codes = abstract_codes()
    class_of, kind = _classes(made, codes), _kind(made.grand_list)
    for section in ("assessed", "exemption", "exempt_property"):
        for name, stage in made.stages:
            for code, cell in _section(stage, section).items():
                state_class = class_of[code] if section == "assessed" else ""
                label = _label(codes, kind, section, code)
                yield section, state_class, code, label, name, cell.count, cell.amount
    for name, stage in made.stages:
        yield "total", "", "", "gross taxable", name, stage.accounts, stage.gross
        yield "total", "", "", "exemptions", name, "", stage.exemptions
        yield "total", "", "", "net taxable", name, "", stage.net
        yield "total", "", "", "tax-exempt property (M-13a)", name, "", stage.exempt


def _printed(made: M13) -> Iterator[list[list[str]]]:
    codes = abstract_codes()
    class_of, kind = _classes(made, codes), _kind(made.grand_list)
    stages = made.stages
    names = [name for name, _ in stages]
    table = [["Taxable, by class", "accounts", *names]]
    for state_class in sorted({class_of[code] for _, stage in stages for code in stage.assessed}):
        inside = sorted(
            {code for _, stage in stages for code in stage.assessed if class_of[code] == state_class}
        )
        table.append(_sums(f"={state_class} {codes.classes[state_class]}", stages, "assessed", inside))
        for code in inside:
            label = f"   {code} {_label(codes, kind, 'assessed', code)}"
            table.append(_sums(label, stages, "assessed", [code]))
    table.append(["=Gross taxable", "", *(f"{stage.gross:,}" for _, stage in stages)])
    for section, title in (("exemption", "Exemptions"), ("exempt_property", "")):
        if section == "exempt_property":
            table.append(["=Net taxable grand list", "", *(f"{stage.net:,}" for _, stage in stages)])
            yield table
            table = [["M-13a: tax-exempt property", "accounts", *names]]
        for code in sorted({code for _, stage in stages for code in _section(stage, section)}):
            label = f"   {code} {_label(codes, kind, section, code)}"
            table.append(_sums(label, stages, section, [code]))
        if title:
            table.append([f"={title}", "", *(f"{stage.exemptions:,}" for _, stage in stages)])
    table.append(["=Tax-exempt property", "", *(f"{stage.exempt:,}" for _, stage in stages)])
    yield table


def _sums(label: str, stages: list[tuple[str, Abstract]], section: str, codes: list[str]) -> list[str]:
    cells = [
        sum((_section(stage, section).get(code, Cell()) for code in codes), start=Cell())
        for _, stage in stages
    ]
    # An account with land and a dwelling counts in both codes, so counts do not add up to a class.
    count = f"{cells[-1].count:,}" if len(codes) == 1 and not label.startswith("=") else ""
    return [label, count, *(f"{cell.amount:,}" for cell in cells)]
