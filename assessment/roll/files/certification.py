"""The certification on paper: one page with the totals, the root and the signature, to be filed."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from typing import Any

from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas

from assessment.roll.files.letters import printable

LEFT, RIGHT = 72, 540


def grouped(hexadecimal: str, size: int = 8) -> str:
    """Return a hexadecimal number in groups that a person can compare."""
    return " ".join(textwrap.wrap(hexadecimal, size))


def certification_pdf(statement: Mapping[str, Any], *, signature: str, public_key: str) -> bytes:
    """Return the certification page.

    Parameters
    ----------
    statement
        What was signed: town, year, kind, totals, root, signer and time.
    signature, public_key
        Ed25519, hexadecimal.

    Returns
    -------
    bytes
        A PDF; the same statement and signature give the same bytes.
    """
    buffer = io.BytesIO()
    page = Canvas(buffer, pagesize=LETTER, invariant=1)
    page.setTitle(f"Certification of the grand list {statement['year']}, {statement['town_name']}")
    page.setFont("Helvetica-Bold", 16)
    page.drawString(LEFT, 712, printable(f"{statement['town_name']}, Connecticut"))
    page.setFont("Helvetica", 13)
    page.drawString(LEFT, 690, f"Certification of the grand list of 1 October {statement['year']}")
    kind = str(statement["kind"]).replace("_", " ")
    page.drawString(LEFT, 672, f"List: {kind}, {statement['basis'].replace('_', ' ')}")
    y = _totals(page, statement, 632)
    y = _block(page, "Root of the list (SHA-256)", grouped(statement["root"]), y - 28)
    y = _block(page, "Signature (Ed25519)", grouped(signature, 16), y - 10)
    y = _block(page, "Public key of the town", grouped(public_key), y - 10)
    page.setFont("Helvetica", 10)
    text = (
        "The root changes when a single character of the signed list changes. Anybody who holds this page can "
        "check the list against it: manage.py verify_grand_list --root, followed by the 64 digits above."
    )
    for line in textwrap.wrap(text, 95):
        page.drawString(LEFT, y - 16, line)
        y -= 13
    y -= 50
    page.line(LEFT, y, LEFT + 260, y)
    page.line(LEFT + 300, y, RIGHT, y)
    signer = statement["signer"]
    page.drawString(LEFT, y - 13, printable(signer["name"]))
    page.drawString(LEFT + 300, y - 13, "Date")
    certificate = " ".join(
        part for part in (signer["certificate_level"], signer["certificate_number"]) if part
    )
    page.drawString(LEFT, y - 26, printable(f"Assessor, certificate {certificate}"))
    page.drawString(LEFT, y - 39, f"Signed electronically at {statement['signed_at']}")
    page.showPage()
    page.save()
    return buffer.getvalue()


def _totals(page: Canvas, statement: Mapping[str, Any], y: float) -> float:
    rows = (
        ("Accounts", f"{statement['accounts']:,}"),
        ("Gross assessment", f"${statement['gross']:,}"),
        ("Exemptions and exempt property", f"${statement['exempt']:,}"),
        ("Net taxable grand list", f"${statement['net']:,}"),
    )
    for label, figure in rows:
        page.setFont("Helvetica-Bold" if label.startswith("Net") else "Helvetica", 12)
        page.drawString(LEFT, y, label)
        page.drawRightString(RIGHT, y, figure)
        y -= 18
    return y


def _block(page: Canvas, title: str, text: str, y: float) -> float:
    page.setFont("Helvetica-Bold", 10)
    page.drawString(LEFT, y, title)
    page.setFont("Courier", 10)
    for line in textwrap.wrap(text, 74):
        y -= 14
        page.drawString(LEFT, y, line)
    return y - 10
