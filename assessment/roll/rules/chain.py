"""The hash chain of a signed list: changing, removing, adding or moving one row changes the root.

Format ``grandlist/1``. A row's hash is SHA-256 of its canonical content (JSON, keys sorted, no spaces, UTF-8,
whole numbers only). Link 0 is SHA-256 of the header (town, year, kind); link *i* is SHA-256 of link *i-1*
followed by row hash *i*. The root is SHA-256 of the last link and the totals, so the totals printed beside
it cannot be changed without it either.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assessment.roll.rules.accounts import sums_wrong

FORMAT = "grandlist/1"
CHECKPOINT_EVERY = 500
TOTALS = ("accounts", "gross", "exempt", "net")
_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return the one byte form of a row, header or totals."""
    return _encode(content).encode("utf-8")


def row_hash(content: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of a row's canonical content."""
    return hashlib.sha256(canonical(content)).digest()


@dataclass(frozen=True, slots=True)
class Header:
    """What the list is: bound into link 0, so a chain cannot be passed off as another list's."""

    town: int
    year: int
    kind: str

    def link(self) -> bytes:
        """Return link 0."""
        return hashlib.sha256(
            canonical({"format": FORMAT, "town": self.town, "year": self.year, "kind": self.kind})
        ).digest()


def next_link(link: bytes, hashed: bytes) -> bytes:
    """Return the link that follows `link` for a row of hash `hashed`."""
    return hashlib.sha256(link + hashed).digest()


def root_of(last_link: bytes, totals: Mapping[str, int]) -> str:
    """Return the root, as 64 hexadecimal digits, of a chain and its totals."""
    return hashlib.sha256(last_link + canonical({name: totals[name] for name in TOTALS})).hexdigest()


@dataclass(slots=True)
class Chain:
    """A chain being built: feed it rows in order, then read `root`.

    ``checkpoints`` holds every 500th link: kept outside the database, they tell between which rows a chain
    that was recomputed as a whole departs from the signed one.
    """

    header: Header
    link: bytes = b""
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOTALS, 0))
    checkpoints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.link = self.header.link()

    def add(self, content: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Add a row; return its hash and its link."""
        hashed = row_hash(content)
        self.link = next_link(self.link, hashed)
        self.totals["accounts"] += 1
        for name in TOTALS[1:]:
            self.totals[name] += content[name]
        if self.totals["accounts"] % CHECKPOINT_EVERY == 0:
            self.checkpoints.append(self.link.hex())
        return hashed, self.link

    @property
    def root(self) -> str:
        """The root of the rows added so far."""
        return root_of(self.link, self.totals)


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a list is not what was signed."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it lies in the database: its content and the hash and link written beside it."""

    content: Mapping[str, Any]
    hashed: bytes
    link: bytes


@dataclass(frozen=True, slots=True)
class Attested:
    """What a certification says of a list: from the database, from a file outside it, or from paper."""

    source: str
    root: str
    totals: Mapping[str, int] | None = None
    checkpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainReport:
    """The outcome of a verification: the root found and every break, the first ones by row."""

    root: str
    totals: Mapping[str, int]
    breaks: tuple[Break, ...]

    @property
    def intact(self) -> bool:
        """True when nothing was found broken."""
        return not self.breaks


def verify(
    header: Header, rows: Iterable[StoredRow], attested: Iterable[Attested] = (), *, most: int = 20
) -> ChainReport:
    """Recompute a chain from its rows and compare it with what is stored and with what was attested.

    Parameters
    ----------
    header
        The list.
    rows
        In the order of `seq`.
    attested
        Roots to compare with; each that differs is a break.
    most
        Row breaks are listed up to this number; the root is always that of all rows.

    Returns
    -------
    ChainReport
        Intact only when every row has its number, its sums, its hash and its link, and every attested root
        and total is the one found. A list recomputed as a whole is consistent in itself: only an attested
        root from outside the database shows it.
    """
    chain = Chain(header)
    breaks = list(_row_breaks(chain, rows, most))
    for paper in attested:
        breaks.extend(_differences(chain, paper))
    return ChainReport(chain.root, dict(chain.totals), tuple(breaks))


def _row_breaks(chain: Chain, rows: Iterable[StoredRow], most: int) -> Iterator[Break]:
    found, previous = 0, chain.header.link()
    for expected_seq, row in enumerate(rows, start=1):
        seq = row.content["seq"]
        hashed, _ = chain.add(row.content)
        what = _wrong_with(row, hashed, previous, expected_seq)
        previous = row.link
        if what and found < most:
            found += 1
            yield Break(f"row {seq}, list number {row.content['list_number']}", what)


def _wrong_with(row: StoredRow, hashed: bytes, previous: bytes, expected_seq: int) -> str | None:
    if row.content["seq"] != expected_seq and row.link != next_link(previous, row.hashed):
        return f"row {expected_seq} expected here: a row was taken out, added or moved"
    if hashed != row.hashed:
        wrong = sums_wrong(row.content)
        return "its content is not what was hashed when the list was signed" + (f": {wrong}" if wrong else "")
    if row.link != next_link(previous, row.hashed):
        return "its link does not follow from the row before it"
    return sums_wrong(row.content)


def _differences(chain: Chain, paper: Attested) -> Iterator[Break]:
    if paper.totals is not None:
        for name in TOTALS:
            if chain.totals[name] != paper.totals[name]:
                yield Break(
                    f"total of {name}",
                    f"{chain.totals[name]:,} found, {paper.totals[name]:,} in {paper.source}",
                )
    if chain.root == paper.root.lower():
        return
    where = "the whole list"
    for place, (ours, theirs) in enumerate(zip(chain.checkpoints, paper.checkpoints, strict=False)):
        if ours != theirs:
            where = f"rows {place * CHECKPOINT_EVERY + 1} to {(place + 1) * CHECKPOINT_EVERY}, or before"
            break
    else:
        if paper.checkpoints:
            where = f"after row {min(len(chain.checkpoints), len(paper.checkpoints)) * CHECKPOINT_EVERY}"
    yield Break(where, f"the root found is {chain.root}, {paper.source} has {paper.root.lower()}")
