"""Reading tables that people bring: CSV in any usual encoding, with any usual separator, also gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

_SEPARATORS = ",;\t|"


class TableError(ValueError):
    """A table that cannot be used, told in one line; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file as text cells, with the separator and encoding found out.

    Raises
    ------
    TableError
        ``no_such_file``, ``unreadable``, ``empty``.
    """
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except FileNotFoundError as error:
        raise TableError("no_such_file", f"{path} does not exist") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TableError("unreadable", f"{path} is cut short or damaged: fetch or make it again") from error
    except OSError as error:
        raise TableError("unreadable", f"{path} cannot be read: {error.strerror or error}") from error
    text = _decoded(raw)
    header = text.lstrip().split("\n", 1)[0]
    if not header.strip():
        raise TableError("empty", f"{path} is empty")
    separator = max(_SEPARATORS, key=header.count)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL,
            engine="c",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError("unreadable", f"{path} is no table: {' '.join(str(error).split())}") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    if frame.empty:
        raise TableError("empty", f"{path} has a header and no rows")
    return frame


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column by name.

    Raises
    ------
    TableError
        ``no_such_column``, naming the columns that are there.
    """
    if name not in frame.columns:
        raise TableError("no_such_column", f"no column {name!r}; the file has: {', '.join(frame.columns)}")
    found = frame[name]
    if isinstance(found, pd.DataFrame):
        raise TableError("ambiguous_column", f"the file has {found.shape[1]} columns named {name!r}")
    return found


def numbers(cells: pd.Series) -> pd.Series:
    """Return text cells as floats; money signs, thousands separators and spaces are read, the rest is NaN."""
    cleaned = cells.astype(str).str.replace(r"[$,\s]", "", regex=True)
    return pd.to_numeric(cleaned, errors="coerce").replace([np.inf, -np.inf], np.nan)
