"""Which bytes are which letters."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import charset_normalizer

from assessment.property.tabular.problems import FileUnreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Municipal systems run on Windows; a file from an old DOS or Mac program is rare but real.
_OTHERS = ["cp1252", "cp437", "mac_roman"]
_UNDEFINED_IN_1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to turn a file's bytes into text.

    Attributes
    ----------
    name
        The encoding of the file.
    fallback
        The encoding of lines that are not in `name`; files glued together from two systems have them.
    mark_bytes
        Length of the byte order mark to skip.
    """

    name: str
    fallback: str = ""
    mark_bytes: int = 0

    def decode(self, line: bytes) -> tuple[str, bool]:
        """Return the line as text, and whether the fallback was needed."""
        try:
            return line.decode(self.name), False
        except UnicodeDecodeError:
            if not self.fallback:
                raise
            return line.decode(self.fallback, errors="replace"), True


def detect_encoding(head: bytes, lines: Iterable[bytes]) -> Encoding:
    """Find out a file's encoding.

    A byte order mark settles it. Otherwise it is UTF-8 unless most lines that are not plain ASCII
    break UTF-8's rules; then it is Windows-1252 unless it holds bytes that this leaves undefined, or
    charset-normalizer finds DOS or Mac text decidedly more plausible.

    Parameters
    ----------
    head
        The file's first bytes.
    lines
        All its lines, as bytes; read once, only those that are not plain ASCII are kept.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            fallback = "cp1252" if name == "utf-8" else ""
            return Encoding(name, fallback, len(mark))
    if b"\x00" in head:
        raise FileUnreadable("The file holds NUL bytes: it is no text. Save it as CSV UTF-8 and try again.")
    valid, broken = 0, bytearray()
    broken_lines = 0
    for line in lines:
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            valid += 1
        except UnicodeDecodeError:
            broken_lines += 1
            if len(broken) < 200_000:
                broken += line
    if valid > broken_lines or not broken_lines:
        return Encoding("utf-8", "cp1252")
    return Encoding(_single_byte(bytes(broken)), "latin-1")


def _single_byte(sample: bytes) -> str:
    best = charset_normalizer.from_bytes(sample, cp_isolation=_OTHERS).best()
    guess = best.encoding if best is not None else "cp1252"
    possible = _UNDEFINED_IN_1252.isdisjoint(sample)
    if not possible:
        return "latin-1" if guess == "cp1252" else guess
    # All 256 bytes mean something in DOS and Mac text, so a guess needs more than being possible:
    # letters with accents sit at 0xC0 and above in Windows-1252, and below 0xA6 in the other two.
    high = [byte for byte in sample if byte >= 0x80]
    accents = sum(byte >= 0xC0 for byte in high)
    return "cp1252" if accents * 2 >= len(high) or _is_typography(high) else guess


def _is_typography(high: list[int]) -> bool:
    """Whether the bytes are mostly Windows' quotes, dashes, the degree, section and fraction signs."""
    marks = frozenset(
        b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99\xa0\xa3\xa7\xa9\xae\xb0\xb1\xb2\xb3\xbc\xbd\xbe"
    )
    return sum(byte in marks for byte in high) * 2 >= len(high)


def text_lines(lines: Iterable[bytes], encoding: Encoding) -> Iterator[tuple[str, bool]]:
    """Decode line by line, saying which lines needed the fallback."""
    for number, line in enumerate(lines):
        if number == 0 and encoding.mark_bytes:
            line = line[encoding.mark_bytes :]
        yield encoding.decode(line)
