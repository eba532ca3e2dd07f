"""The printed book of a grand list: accounts in list order, a sum on every page, a recapitulation at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.pagesizes import LETTER, landscape
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from assessment.roll.files.letters import printable
from assessment.roll.rules.standing import Listed

WIDTH, HEIGHT = landscape(LETTER)
LEFT, TOP, BOTTOM, LEADING = 36, HEIGHT - 62, 54, 9.5
AMOUNTS = (560, 645, 700, 756)  # right edges: appraised, gross, exempt, net
# Courier is as wide as 0.6 of its size for every letter, so right edges need no measuring.
_FIGURE = 7 * 0.6


@dataclass(slots=True)
class Sums:
    """Dollars on a page and carried forward to it."""

    accounts: int = 0
    gross: int = 0
    exempt: int = 0
    net: int = 0

    def add(self, item: Listed) -> None:
        """Add an account."""
        self.accounts += 1
        self.gross += item.account.gross
        self.exempt += item.account.exempt
        self.net += item.account.net


class Book:
    """A book being printed: `add` accounts in order, then `finish`."""

    def __init__(self, path: Path, *, title: str, subtitle: str, labels: Mapping[str, str]) -> None:
        self._canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
        self._canvas.setTitle(title)
        self._title, self._subtitle = printable(title), printable(subtitle)
        self._labels = {code: printable(label) for code, label in labels.items()}
        self._page = 0
        self._all = Sums()
        self._text: PDFTextObject | None = None
        self._y = 0.0
        self._on_page = Sums()

    @property
    def pages(self) -> int:
        """Pages begun."""
        return self._page

    def add(self, item: Listed) -> None:
        """Print one account: a head line, its location, its components and exemptions."""
        account = item.account
        height = (2 + len(account.lines) + len(account.exemptions) + bool(item.instruments)) * LEADING
        if self._text is None or self._y - height < BOTTOM + 2 * LEADING:
            self._new_page()
        self._head(item)
        for line in account.lines:
            label = f"{line.code} {self._labels.get(line.code, '')}"
            quantity = f"{line.quantity} {line.unit}".strip()
            self._cells([(LEFT + 110, label), (LEFT + 330, quantity)])
            self._figures((line.appraised, line.assessed, None, None))
            self._down()
        for part in account.exemptions:
            self._cells([(LEFT + 110, f"exemption {part.code} {part.statute}".strip())])
            self._figures((None, None, part.amount, None))
            self._down()
        if item.instruments:
            self._cells([(LEFT + 110, f"changed by {' '.join(item.instruments)}: net {item.net_after:,}")])
            self._down()
        self._y -= 3
        self._on_page.add(item)
        self._all.add(item)

    def finish(self, recapitulation: Sequence[tuple[str, str]]) -> None:
        """Print the recapitulation (label and figure) on pages of its own, and close the file."""
        self._end_page()
        for start in range(0, len(recapitulation), 44):
            self._begin("Recapitulation")
            for label, figure in recapitulation[start : start + 44]:
                self._cells([(LEFT, printable(label))])
                self._right(620, figure)
                self._down()
            self._end_page(sums=False)
        self._canvas.save()

    def _head(self, item: Listed) -> None:
        account = item.account
        text = self._require()
        text.setFont("Helvetica-Bold", 7.5)
        owner = printable(" & ".join(name for name in (account.owner, account.co_owner) if name))[:78]
        self._cells([(LEFT, account.list_number), (LEFT + 78, account.account[:14]), (LEFT + 145, owner)])
        self._figures((account.appraised, account.gross, account.exempt, account.net))
        text.setFont("Helvetica", 7)
        self._down()
        kind = f"EXEMPT {account.exempt_code}  " if account.exempt_code else ""
        mailing = f"   mail: {account.mailing_address}" if account.mailing_address else ""
        self._cells([(LEFT + 145, printable(f"{kind}{account.location}{mailing}")[:130])])
        self._down()

    def _new_page(self) -> None:
        self._end_page()
        self._begin("")

    def _begin(self, heading: str) -> None:
        self._page += 1
        canvas = self._canvas
        canvas.setFont("Helvetica-Bold", 11)
        canvas.drawString(LEFT, HEIGHT - 34, self._title)
        canvas.setFont("Helvetica", 8)
        canvas.drawString(LEFT, HEIGHT - 46, f"{self._subtitle}{'   ' + heading if heading else ''}")
        canvas.drawRightString(WIDTH - LEFT, HEIGHT - 34, f"page {self._page}")
        for edge, label in zip(AMOUNTS, ("appraised", "gross", "exempt", "net"), strict=True):
            if not heading:
                canvas.drawRightString(edge, HEIGHT - 46, label)
        canvas.line(LEFT, HEIGHT - 50, WIDTH - LEFT, HEIGHT - 50)
        self._text = canvas.beginText()
        self._text.setFont("Helvetica", 7)
        self._y = TOP

    def _end_page(self, *, sums: bool = True) -> None:
        if self._text is None:
            return
        self._canvas.drawText(self._text)
        self._text = None
        if sums:
            self._foot("this page", self._on_page, BOTTOM)
            self._foot("carried forward", self._all, BOTTOM - 11)
        self._on_page = Sums()
        self._canvas.showPage()

    def _foot(self, label: str, sums: Sums, y: float) -> None:
        self._canvas.setFont("Helvetica-Bold", 7.5)
        self._canvas.drawString(LEFT, y, f"{label}: {sums.accounts:,} accounts")
        for edge, amount in zip(AMOUNTS[1:], (sums.gross, sums.exempt, sums.net), strict=True):
            self._canvas.drawRightString(edge, y, f"{amount:,}")

    def _cells(self, cells: Sequence[tuple[float, str]]) -> None:
        text = self._require()
        for x, value in cells:
            if value:
                text.setTextOrigin(x, self._y)
                text.textOut(value)

    def _figures(self, amounts: Sequence[int | None]) -> None:
        text = self._require()
        text.setFont("Courier", 7)
        for edge, amount in zip(AMOUNTS, amounts, strict=True):
            if amount is not None:
                figure = f"{amount:,}"
                text.setTextOrigin(edge - len(figure) * _FIGURE, self._y)
                text.textOut(figure)
        text.setFont("Helvetica", 7)

    def _right(self, edge: float, figure: str) -> None:
        text = self._require()
        text.setFont("Courier", 7)
        text.setTextOrigin(edge - len(figure) * _FIGURE, self._y)
        text.textOut(figure)
        text.setFont("Helvetica", 7)

    def _down(self) -> None:
        self._y -= LEADING

    def _require(self) -> PDFTextObject:
        if self._text is None:
            raise RuntimeError("no page was begun")
        return self._text
