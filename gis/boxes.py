"""PostgreSQL's `box` as a model field: the bounding box that a GiST index searches.

A shape's exact place is its WKB; the box only finds candidates. Both are in EPSG:2234.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class Box(NamedTuple):
    """An upright rectangle in EPSG:2234, US survey feet."""

    min_x: float
    min_y: float
    max_x: float
    max_y: float

    def grown(self, by_ft: float) -> Box:
        """The box with `by_ft` added on every side."""
        return Box(self.min_x - by_ft, self.min_y - by_ft, self.max_x + by_ft, self.max_y + by_ft)

    @property
    def text(self) -> str:
        """As PostgreSQL reads it."""
        return f"({self.max_x!r},{self.max_y!r}),({self.min_x!r},{self.min_y!r})"


def parse_box(text: str) -> Box:
    """Box from PostgreSQL's ``(x2,y2),(x1,y1)``."""
    x2, y2, x1, y1 = (float(number) for number in text.translate(str.maketrans("", "", "()")).split(","))
    return Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


class BoxField(models.Field):  # type: ignore[type-arg]
    """A `box` column that reads and takes `Box`."""

    description = "Bounding box (PostgreSQL box)"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "box"

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> Box | None:
        return None if value is None else parse_box(value)

    def to_python(self, value: Any) -> Box | None:
        if value is None or isinstance(value, Box):
            return value
        return parse_box(value) if isinstance(value, str) else Box(*value)

    def get_prep_value(self, value: Any) -> str | None:
        box = self.to_python(value)
        return None if box is None else box.text

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        return "%s::box"
