"""Text for the PDF standard fonts, which know Latin-1 and little more."""

import unicodedata

# En and em dash, quotation marks, ellipsis and the Polish l, by code point.
_ASIDE = {
    0x2013: "-",
    0x2014: "-",
    0x2019: "'",
    0x2018: "'",
    0x201C: '"',
    0x201D: '"',
    0x2026: "...",
    0x142: "l",
    0x141: "L",
}


def printable(text: str) -> str:
    """Return `text` with what the fonts cannot show replaced by its nearest letter, or a question mark."""
    if text.isascii():
        return text
    plain = text.translate(_ASIDE)
    try:
        plain.encode("latin-1")
    except UnicodeEncodeError:
        plain = "".join(_nearest(letter) for letter in plain)
    return plain


def _nearest(letter: str) -> str:
    if ord(letter) < 256:
        return letter
    base = "".join(c for c in unicodedata.normalize("NFKD", letter) if ord(c) < 256)
    return base or "?"
