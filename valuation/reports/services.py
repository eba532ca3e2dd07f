"""Writing the public file of a revaluation."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.roll.files.atomic import make_folder, write_all
from assessment.roll.files.sheets import CsvTable
from valuation.reports.paper import report_pdf
from valuation.reports.rules import Grid, Section, document_of
from valuation.reports.selectors import PublicSale, list_public_sales, run_facts
from valuation.runs.models import Run

_README = """The public file of the valuation of {town} as of October 1, {year} (CGS 12-62(c)).

report.pdf            criteria, procedures, price schedules, factors and tests of the model
schedules.csv         the same price schedules and factors as figures
sales.csv             usable sales of the twelve months before the valuation day, by neighbourhood

It holds no name, no mailing address and no plan of the interior of a dwelling. Schedules are public until the next
revaluation; the list of sales for at least thirty days, which the assessor counts from its lodging.
"""


def report_of(run: Run) -> tuple[str, list[Section]]:
    """Return the title and the sections of a run's report."""
    facts = run_facts(run)
    return f"{facts.town}: valuation report, list of {facts.list_year}", document_of(facts)


def public_file(run: Run, *, actor: Actor) -> dict[str, bytes]:
    """Return the files of CGS 12-62(c) by name; equal runs give equal bytes.

    Raises
    ------
    Forbidden
        Without the permission to export the list.
    """
    actor.require(Permission.EXPORT_LIST, run.town_id)
    title, sections = report_of(run)
    readme = _README.format(town=run.town.name, year=run.list_year)
    return {
        "README.txt": readme.encode(),
        "report.pdf": report_pdf(title, sections),
        "sales.csv": _sales_csv(list_public_sales(run)),
        "schedules.csv": _schedules_csv(
            [grid for section in sections for grid in section.grids if _is_price(section)]
        ),
    }


def write_public_file(run: Run, folder: Path, *, actor: Actor) -> list[Path]:
    """Write the public file into a folder: all of its files, or none.

    Raises
    ------
    Forbidden, OutputNotWritten
        As they say.
    """
    files = public_file(run, actor=actor)
    folder = make_folder(folder)
    write_all(folder, files)
    return [folder / name for name in files]


def zip_of(files: dict[str, bytes]) -> bytes:
    """Return files as a ZIP archive without times, so that equal files give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _is_price(section: Section) -> bool:
    return section.title == "Price schedules and factors"


def _sales_csv(sales: list[PublicSale]) -> bytes:
    text = io.StringIO(newline="")
    table = CsvTable(
        text, ["neighbourhood", "address", "state_class", "recorded_on", "price", "concluded_value"]
    )
    for sale in sales:
        table.add(
            [
                sale.neighbourhood,
                sale.address,
                sale.state_class,
                sale.recorded_on.isoformat(),
                sale.price,
                sale.value,
            ]
        )
    return text.getvalue().encode()


def _schedules_csv(grids: list[Grid]) -> bytes:
    text = io.StringIO(newline="")
    table = CsvTable(text, ["table", "level", "figure", "further"])
    for grid in grids:
        for row in grid.rows:
            first, second, *rest = row
            table.add(
                [
                    grid.title,
                    str(first),
                    str(second),
                    "; ".join(str(cell) for cell in rest if cell is not None),
                ]
            )
    return text.getvalue().encode()
