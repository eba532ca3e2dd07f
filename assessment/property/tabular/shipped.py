"""The mappings that come with the product, and which of them fits a file."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from assessment.property.tabular.mapping import CardMapping, load_mapping
from assessment.property.tabular.problems import MappingInvalid

FOLDER = Path(__file__).resolve().parent.parent / "mappings"


@cache
def shipped_mappings(kind: str = "") -> tuple[CardMapping, ...]:
    """Return the shipped mappings, by name: of cards, or of another ``kind`` (``points``)."""
    return tuple(load_mapping(path) for path in sorted((FOLDER / kind).glob("*.toml")))


def find_mapping(header: Iterable[str], kind: str = "") -> CardMapping:
    """Return the shipped mapping that a file's header gives away.

    Raises
    ------
    MappingInvalid
        None does; the message lists what there is.
    """
    header = list(header)
    fitting = max(shipped_mappings(kind), key=lambda mapping: mapping.score(header), default=None)
    if fitting is None or not fitting.score(header):
        names = ", ".join(mapping.name for mapping in shipped_mappings(kind))
        raise MappingInvalid(
            f"No shipped mapping ({names}) fits the columns {', '.join(header[:20])}: give --mapping."
        )
    return fitting


def choose_mapping(header: Iterable[str], given: str = "", kind: str = "") -> CardMapping:
    """Return the mapping named or given as a file, or else the shipped one that fits the header."""
    if not given:
        return find_mapping(header, kind)
    by_name = {mapping.name: mapping for mapping in shipped_mappings(kind)}
    return by_name.get(given) or load_mapping(Path(given))
