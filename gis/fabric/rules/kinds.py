"""The words of findings and of lineage; models name them, so nothing heavy is imported here."""

from __future__ import annotations

from enum import StrEnum


class FindingKind(StrEnum):
    """What the report can find. The values are stable: they are stored and exported."""

    INVALID = "invalid"
    MULTIPART = "multipart"
    OVERLAP = "overlap"
    GAP = "gap"
    SLIVER = "sliver"
    DUPLICATE_SHAPE = "duplicate_shape"
    STATED_AREA = "stated_area"


class Descent(StrEnum):
    """Why a parcel of the new fabric stands where one of the old fabric stood."""

    RENUMBERED = "renumbered"
    SPLIT = "split"
    MERGED = "merged"
    REDRAWN = "redrawn"
