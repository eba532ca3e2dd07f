"""The spec of a fit: a TOML file that says which column means what. docs/specs/ has worked ones."""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from valuation.frames.rules import CATEGORIES, NUMBERS, FeatureRefused, digest, refuse_roll_values
from valuation.market.composite import Market
from valuation.tables import TableError, column, numbers

MODELS = ("cost", "hedonic", "boosted", "plain", "market")


@dataclass(frozen=True)
class FitSpec:
    """What a fit reads and how it fits.

    Attributes
    ----------
    facts : mapping of str to (str or mapping)
        Name in the frame to its source: a column, or ``{columns, times, minus, recode}``.
    keep : tuple of mappings
        Conditions a row must meet: ``{column, in}`` or ``{column, from, to}``.
    cards_value : str
        Column of the values on the cards, compared beside the models and never a feature; empty for none.
    first_day : str
        Sales before this ISO day are left out; empty for none.
    cluster : int
        Number of neighbourhoods to make of ``x`` and ``y`` where the table has none; 0 for none.
    stratum : str
        Fact that names the jurisdiction, for the comparison of local, pooled and partially pooled fits; the
        neighbourhood where empty.
    row_id : str
        Column that names a row in the predictions; the row number in the file where empty.
    compare : tuple of str
        Models to fit beside the one named; empty for all.
    model_options : mapping
        Options of `valuation.market.composite.Market`.
    sha256 : str
        Of the spec's text.
    """

    name: str
    price: str
    date: str
    date_format: str
    facts: Mapping[str, Any]
    holdout_share: float = 0.10
    keep: tuple[Mapping[str, Any], ...] = ()
    cards_value: str = ""
    first_day: str = ""
    cluster: int = 0
    model: str = "cost"
    cost: Mapping[str, Any] = field(default_factory=dict)
    market: Mapping[str, Any] = field(default_factory=dict)
    stratum: str = ""
    row_id: str = ""
    compare: tuple[str, ...] = ()
    model_options: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self) -> None:
        refuse_roll_values(self.facts, declared=self._values())
        sources = [name for source in self.facts.values() for name in _source_columns(source)]
        refuse_roll_values(sources, declared=self._values())

    def _values(self) -> set[str]:
        return {self.price, self.cards_value} - {""}


def _source_columns(source: Any) -> list[str]:
    if isinstance(source, str):
        return [source]
    named = source.get("columns", [source.get("column", "")])
    return [*named, *([source["minus"]] if "minus" in source else [])]


_KEYS = {
    "": "name model compare sales facts neighbourhoods cost market market_model",
    "sales": "price date date_format holdout_share keep cards_value first_day stratum row_id",
    "neighbourhoods": "cluster",
    "market": "features trees leaves learning_rate least_in_leaf hold",
}


def _unknown_keys(plain: Mapping[str, Any]) -> list[str]:
    own = {"numbers", "categories", "seed", "threads", "on_step"}
    options = {"features", *(one.name for one in fields(Market))} - own
    found = [name for name in plain.get("market_model", {}) if name not in options]
    for table, words in _KEYS.items():
        found += [name for name in (plain.get(table, {}) if table else plain) if name not in words.split()]
    return sorted(found)


def _day(given: Any) -> str:
    return dt.date.fromisoformat(str(given)).isoformat() if given else ""


def read_spec(path: Path) -> FitSpec:
    """Read a spec.

    Raises
    ------
    TableError
        ``no_such_file``, ``bad_spec``.
    FeatureRefused
        When a fact is made of a price or of a value already on the cards.
    """
    try:
        text = path.read_text(encoding="utf-8")
        plain = tomllib.loads(text)
    except FileNotFoundError as error:
        raise TableError("no_such_file", f"{path} does not exist") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableError("bad_spec", f"{path} is no TOML: {error}") from error
    except OSError as error:
        raise TableError("unreadable", f"{path} cannot be read: {error.strerror or error}") from error
    try:
        sales = plain["sales"]
        spec = FitSpec(
            name=str(plain.get("name", path.stem)),
            price=sales["price"],
            date=sales["date"],
            date_format=sales.get("date_format", "%Y-%m-%d"),
            facts=plain["facts"],
            holdout_share=float(sales.get("holdout_share", 0.10)),
            keep=tuple(sales.get("keep", ())),
            cards_value=sales.get("cards_value", ""),
            first_day=_day(sales.get("first_day", "")),
            cluster=int(plain.get("neighbourhoods", {}).get("cluster", 0)),
            model=plain.get("model", "cost"),
            cost=plain.get("cost", {}),
            market=plain.get("market", {}),
            stratum=str(sales.get("stratum", "")),
            row_id=str(sales.get("row_id", "")),
            compare=tuple(plain.get("compare", ())),
            model_options=plain.get("market_model", {}),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
    except FeatureRefused:
        raise
    except KeyError as error:
        raise TableError("bad_spec", f"{path} has no {error.args[0]!r}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TableError("bad_spec", f"{path}: {error}") from error
    if not 0 < spec.holdout_share < 0.9:
        raise TableError("bad_spec", f"{path}: holdout_share must be between 0 and 0.9")
    if any("column" not in condition for condition in spec.keep):
        raise TableError("bad_spec", f"{path}: a condition to keep sales by needs its column")
    unknown = _unknown_keys(plain)
    if unknown:
        raise TableError("bad_spec", f"{path} has no use for {', '.join(map(repr, unknown))}")
    for kind in (spec.model, *spec.compare):
        if kind not in MODELS:
            raise TableError("bad_spec", f"{path}: a model is one of {', '.join(MODELS)}, not {kind!r}")
    if spec.stratum and spec.stratum not in (*spec.facts, *(("neighbourhood",) if spec.cluster else ())):
        raise TableError("bad_spec", f"{path}: the stratum {spec.stratum!r} is none of the facts")
    return spec


@dataclass(frozen=True)
class Sales:
    """A table of sales read by its spec, in order of date.

    Attributes
    ----------
    frame : DataFrame
        Facts by their names in the frame.
    prices, sold_on, cards : ndarray, shape (n,)
        Dollars, ordinal days, and the cards' own values (NaN where none).
    left_out : dict of str to int
        Rows that were not used, by reason.
    rows : list of str
        What names each row: its number in the file from 1, or the column that the spec gives.
    """

    frame: pd.DataFrame
    prices: np.ndarray[Any, np.dtype[np.float64]]
    sold_on: np.ndarray[Any, np.dtype[np.int64]]
    cards: np.ndarray[Any, np.dtype[np.float64]]
    left_out: dict[str, int]
    rows: np.ndarray[Any, np.dtype[np.object_]] = field(default_factory=lambda: np.zeros(0, dtype=object))

    @property
    def sha256(self) -> str:
        """Return the hash of facts, prices, days and card values that were read."""
        hasher = hashlib.sha256(digest(self.frame).encode())
        for cells in (self.prices, self.sold_on, self.cards):
            hasher.update(np.ascontiguousarray(cells).tobytes())
        return hasher.hexdigest()


def sales_of(table: pd.DataFrame, spec: FitSpec) -> Sales:
    """Read the rows of a table that the spec keeps.

    Raises
    ------
    TableError
        ``no_such_column``, or ``empty`` when no row is left.
    """
    left_out: dict[str, int] = {}
    keep = pd.Series(True, index=table.index)

    def require(mask: pd.Series, reason: str) -> None:
        nonlocal keep
        gone = int((keep & ~mask).sum())
        if gone:
            left_out[reason] = left_out.get(reason, 0) + gone
        keep = keep & mask

    for condition in spec.keep:
        require(_meets(table, condition), f"{condition['column']} not as kept")
    prices = numbers(column(table, spec.price))
    require(prices > 0, "no price above 0")
    days = pd.to_datetime(column(table, spec.date), format=spec.date_format, errors="coerce")
    require(days.notna(), "no date")
    if spec.first_day:
        require(days >= pd.Timestamp(spec.first_day), f"before {spec.first_day}")
    if not keep.any():
        raise TableError("empty", f"no sale is left ({left_out})")

    facts = pd.DataFrame({name: _fact(table, name, source) for name, source in spec.facts.items()})
    cards = (
        numbers(column(table, spec.cards_value)) if spec.cards_value else pd.Series(np.nan, index=table.index)
    )
    named = column(table, spec.row_id).astype(str).tolist() if spec.row_id else list(range(1, len(table) + 1))
    names = np.array([str(name) for name in named], dtype=object)
    ordinals = days[keep].map(lambda day: day.toordinal()).to_numpy(dtype=np.int64)
    order = np.argsort(ordinals, kind="stable")
    return Sales(
        frame=facts[keep].iloc[order].reset_index(drop=True),
        prices=prices[keep].to_numpy(dtype=np.float64)[order],
        sold_on=ordinals[order],
        cards=np.asarray(cards[keep], dtype=np.float64)[order],
        left_out=left_out,
        rows=names[keep.to_numpy()][order],
    )


def _meets(table: pd.DataFrame, condition: Mapping[str, Any]) -> pd.Series:
    cells = column(table, condition["column"]).str.strip()
    if "in" in condition:
        return cells.isin([str(level) for level in condition["in"]])
    figures = cells if isinstance(condition.get("from", condition.get("to")), str) else numbers(cells)
    mask = pd.Series(True, index=table.index)
    if "from" in condition:
        mask &= figures >= condition["from"]
    if "to" in condition:
        mask &= figures <= condition["to"]
    return mask


def _fact(table: pd.DataFrame, name: str, source: Any) -> pd.Series:
    rule: Mapping[str, Any] = {"column": source} if isinstance(source, str) else source
    names = rule.get("columns", [rule.get("column", "")])
    is_number = name in NUMBERS or rule.get("kind") == "number"
    if not is_number and name not in CATEGORIES and rule.get("kind") != "category":
        raise TableError("bad_spec", f"fact {name!r} is not a known name; say kind = 'number' or 'category'")
    if not is_number:
        cells = column(table, names[0]).str.strip()
        recode = rule.get("recode", {})
        return cells.map(lambda cell: str(recode.get(cell, cell)))
    result = numbers(column(table, names[0]))
    for more in names[1:]:
        other = numbers(column(table, more))
        result = result.where(result > 0, other)
    if "recode" in rule:
        coded = column(table, names[0]).str.strip().map(rule["recode"])
        result = pd.to_numeric(coded, errors="coerce").where(coded.notna(), result)
    if "minus" in rule:
        result = result - numbers(column(table, rule["minus"])).fillna(0.0)
    return result * float(rule.get("times", 1.0))


def day_text(ordinal: int) -> str:
    """Return an ordinal day as ISO text."""
    return dt.date.fromordinal(int(ordinal)).isoformat()
