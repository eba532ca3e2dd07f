"""The M-13 and M-13a on paper: by class and code, with the bridge from "as signed" to "after the board"."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.pagesizes import LETTER, landscape
from reportlab.pdfgen.canvas import Canvas

from assessment.roll.files.letters import printable

WIDTH, HEIGHT = landscape(LETTER)
LEFT, FIRST, STEP = 36, 330, 98


def write_abstract(
    path: Path, *, title: str, subtitle: str, tables: Sequence[Sequence[Sequence[str]]]
) -> None:
    """Write tables, each a header row and rows of text; the first cell is a label, the others are figures.

    A row whose label begins with ``=`` is a sum and is printed bold.
    """
    page = Canvas(str(path), pagesize=(WIDTH, HEIGHT), invariant=1)
    page.setTitle(title)
    y = _top(page, title, subtitle)
    for table in tables:
        if y < 140:
            page.showPage()
            y = _top(page, title, subtitle)
        for place, row in enumerate(table):
            if y < 48:
                page.showPage()
                y = _row(page, table[0], _top(page, title, subtitle), bold=True)
            y = _row(page, row, y, bold=place == 0 or row[0].startswith("="))
        y -= 16
    page.showPage()
    page.save()


def _top(page: Canvas, title: str, subtitle: str) -> float:
    page.setFont("Helvetica-Bold", 12)
    page.drawString(LEFT, HEIGHT - 40, printable(title))
    page.setFont("Helvetica", 9)
    page.drawString(LEFT, HEIGHT - 54, printable(subtitle))
    page.drawRightString(WIDTH - LEFT, HEIGHT - 40, f"page {page.getPageNumber()}")
    return float(HEIGHT - 78)


def _row(page: Canvas, row: Sequence[str], top: float, *, bold: bool) -> float:
    y = top
    page.setFont("Helvetica-Bold" if bold else "Helvetica", 7.5)
    indent = LEFT + 10 * row[0].startswith(" ")
    page.drawString(indent, y, printable(row[0].removeprefix("=").strip())[:64])
    step = min(STEP, (WIDTH - LEFT - FIRST) / max(len(row) - 1, 1) + 4)
    for place, figure in enumerate(row[1:]):
        page.drawRightString(FIRST + step * place, y, printable(figure))
    return y - 11
