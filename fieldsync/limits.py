"""How much a tablet may send at once and how often, as the operator has set it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from fieldsync.photos.rules import PHOTO_MAX_BYTES

UPLOAD_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of one push. A batch above them is to be split; no item is refused for good."""

    max_items: int
    max_bytes: int
    max_inflated_bytes: int
    max_nesting: int

    def told(self) -> dict[str, int]:
        """Return what devices are told in their policy and in manifests."""
        return {
            "push_max_items": self.max_items,
            "push_max_bytes": self.max_bytes,
            "push_max_inflated_bytes": self.max_inflated_bytes,
            "push_max_nesting": self.max_nesting,
            "upload_chunk_bytes": UPLOAD_CHUNK_BYTES,
            "photo_max_bytes": PHOTO_MAX_BYTES,
        }


def current_limits() -> Limits:
    """Return the limits in force."""
    return Limits(
        max_items=settings.FIELD_PUSH_MAX_ITEMS,
        max_bytes=settings.FIELD_PUSH_MAX_BYTES,
        max_inflated_bytes=settings.FIELD_PUSH_MAX_INFLATED_BYTES,
        max_nesting=settings.FIELD_PUSH_MAX_NESTING,
    )
