"""The report as PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

from valuation.reports.rules import Cell, Grid, Section


def report_pdf(title: str, sections: Sequence[Section]) -> bytes:
    """Return the report as a PDF of letter pages, with page numbers and tables that break across pages."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import LETTER
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import inch
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

    styles = getSampleStyleSheet()
    small = styles["BodyText"].clone("small", fontSize=8, leading=10)
    head = small.clone("head", fontName="Helvetica-Bold")
    figures = small.clone("figures", alignment=2)
    look = TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.25, colors.grey),
            ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    width = LETTER[0] - 1.5 * inch

    def laid(grid: Grid) -> LongTable:
        count = len(grid.columns)
        wide = 0.34 if count > 2 else 0.6
        widths = [width * wide, *[width * (1 - wide) / (count - 1)] * (count - 1)]
        rows = [[Paragraph(escape(name), head) for name in grid.columns]]
        rows += [
            [
                Paragraph(escape(_text(cell)), small if at == 0 or isinstance(cell, str) else figures)
                for at, cell in enumerate(row)
            ]
            for row in grid.rows
        ]
        return LongTable(rows, colWidths=widths, repeatRows=1, style=look)

    story = [Paragraph(escape(title), styles["Title"])]
    for number, section in enumerate(sections, start=1):
        story.append(Paragraph(f"{number}. {escape(section.title)}", styles["Heading2"]))
        story += [Paragraph(escape(text), styles["BodyText"]) for text in section.paragraphs]
        for grid in section.grids:
            story += [Paragraph(escape(grid.title), styles["Heading4"]), laid(grid), Spacer(1, 6)]

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 7)
        canvas.drawString(0.75 * inch, 0.5 * inch, title)
        canvas.drawRightString(LETTER[0] - 0.75 * inch, 0.5 * inch, f"page {document.page}")

    out = io.BytesIO()
    # `invariant` keeps the clock out of the file, so equal runs give equal bytes.
    SimpleDocTemplate(
        out, pagesize=LETTER, title=title, author="Grandlist", leftMargin=0.75 * inch, rightMargin=0.75 * inch,
        topMargin=0.75 * inch, bottomMargin=0.75 * inch, invariant=1,
    ).build(story, onFirstPage=foot, onLaterPages=foot)  # fmt: skip
    return out.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.4f}".rstrip("0").rstrip(".")
    return f"{cell:,}" if isinstance(cell, int) else cell
