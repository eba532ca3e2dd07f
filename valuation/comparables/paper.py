"""The grid on one sheet of paper."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from valuation.comparables.sheet import Grid

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_SMALL = ("Helvetica", 8)
_STEP = 12
_TOP, _BOTTOM = 570, 24


def grid_pdf(grid: Grid, *, town: str) -> bytes:
    """Return the grid as one landscape page; the same grid gives the same bytes."""
    from reportlab.lib.pagesizes import LETTER, landscape
    from reportlab.pdfgen.canvas import Canvas

    from assessment.roll.files.letters import printable

    buffer = io.BytesIO()
    page = Canvas(buffer, pagesize=landscape(LETTER), invariant=1)
    page.setTitle(printable(f"Comparable sales, {grid.address}, {town}"))
    page.setFont("Helvetica-Bold", 14)
    page.drawString(36, 570, printable(f"Comparable sales of {grid.address}"))
    page.setFont("Helvetica", 9)
    page.drawString(36, 555, printable(f"{town}, Connecticut; list of 1 October {grid.year}; {grid.made_by}"))
    width = 580 / (1 + max(len(grid.sales), 1))

    def line(y: float, label: str, cells: list[str], *, bold: bool = False) -> float:
        page.setFont("Helvetica-Bold" if bold else "Helvetica", 8)
        page.drawString(36, y, printable(label))
        for at, cell in enumerate(cells):
            text = printable(cell)
            while text and page.stringWidth(text) > width - 6:
                text = text[:-1]
            page.drawRightString(176 + width * (at + 1), y, text)
        return y - 13

    def rule(y: float) -> float:
        page.line(36, y + 9, 176 + width * (1 + len(grid.sales)), y + 9)
        return y - 3

    y = line(530, "", ["This property", *(f"Sale {at + 1}" for at in range(len(grid.sales)))], bold=True)
    y = rule(y)
    y = line(y, "Address", [grid.address, *(sale.address for sale in grid.sales)])
    for label, cells in grid.fact_rows():
        y = line(y, label, cells)
    y = rule(y)
    y = line(y, "Sold on", ["", *(sale.sold_on.isoformat() for sale in grid.sales)])
    y = line(y, "Price", ["", *(_dollars(sale.price) for sale in grid.sales)], bold=True)
    for label, amounts in grid.adjustment_rows():
        y = line(y, f"  {label}", ["", *(_dollars(dollars, sign=True) for dollars in amounts)])
    y = rule(y)
    y = line(y, "Net adjustment", ["", *(_dollars(sale.net, sign=True) for sale in grid.sales)])
    y = line(
        y,
        "Net / gross %",
        ["", *(f"{sale.net_percent:+.1f} / {sale.gross_percent:.1f}" for sale in grid.sales)],
    )
    y = line(y, "Adjusted price", ["", *(_dollars(sale.adjusted) for sale in grid.sales)], bold=True)
    y = line(y, "Weight %", ["", *(str(sale.weight) for sale in grid.sales)])
    y = line(y, "Indicated by sales", [_dollars(grid.indicated)])
    y = line(y, "Value by the cost approach", [_dollars(grid.value)], bold=True)
    page.setFont("Helvetica", 7.5)
    page.drawString(
        36,
        y,
        "Each column of adjustments sums to the cost approach's value of this property less its value of the sold "
        "one on the day of sale.",
    )
    _reconciled(page, grid, y - 16)
    page.showPage()
    page.save()
    return buffer.getvalue()


def _reconciled(page: Canvas, grid: Grid, y: float) -> None:
    """Draw which value the sales support and the lines to the value of record; on another page if they must."""
    from reportlab.lib.utils import simpleSplit

    from assessment.roll.files.letters import printable

    told = grid.reconciliation
    lines = told.lines if told and told.weighs_others else ()
    rows = [
        (
            simpleSplit(printable(line.words), *_SMALL, 330),
            "" if line.estimate is None else _dollars(line.estimate),
            "" if line.weight_percent is None else f"x {line.weight_percent:g} %",
            _dollars(line.dollars, sign=line.estimate is None),
        )
        for line in lines
    ]
    if told and rows:
        rows.append((["Value of record"], "", "", _dollars(told.value)))
    supports = simpleSplit(printable(grid.supports), *_SMALL, 720)
    if y - _STEP * (len(supports) - 1 + sum(len(words) for words, *_ in rows)) < _BOTTOM:
        page.showPage()
        y = _TOP
    page.setFont(*_SMALL)
    for at, text in enumerate(supports):
        page.drawString(36, y - _STEP * at, text)
    y -= _STEP * (len(supports) - 1)
    for words, estimate, weight, dollars in rows:
        if y - _STEP * len(words) < _BOTTOM:
            page.showPage()
            page.setFont(*_SMALL)
            y = _TOP
        for at, cell in ((450, estimate), (520, weight), (600, dollars)):
            page.drawRightString(at, y - _STEP, cell)
        for text in words:
            y -= _STEP
            page.drawString(48, y, text)


def _dollars(dollars: int, *, sign: bool = False) -> str:
    if not dollars and sign:
        return "0"
    lead = "-" if dollars < 0 else "+" if sign else ""
    return f"{lead}${abs(dollars):,}"
