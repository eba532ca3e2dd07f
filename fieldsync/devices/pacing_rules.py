"""Arithmetic of pacing: a bucket of tokens for each device, and the hints in each answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bucket:
    """Requests that a device may still make, as of a moment (seconds since 1970)."""

    tokens: float
    at_s: float

    def refilled(self, now_s: float, *, rate_per_s: float, burst: int) -> Bucket:
        """Return the bucket as it is now.

        Machines whose clocks differ a little earn nothing by it; one set back by more starts counting anew,
        else a device would wait for the clock to come by again.
        """
        earned = max(0.0, now_s - self.at_s) * rate_per_s
        at_s = now_s if self.at_s - now_s > _CLOCKS_DIFFER_S else max(self.at_s, now_s)
        return Bucket(min(float(burst), self.tokens + earned), at_s)

    def take(self, wanted: int) -> tuple[Bucket, int]:
        """Return the bucket after giving up to ``wanted`` whole tokens, and how many it gave."""
        given = max(0, min(wanted, int(self.tokens)))
        return Bucket(self.tokens - given, self.at_s), given

    def wait_s(self, *, rate_per_s: float) -> float:
        """Return after how many seconds it will have a whole token."""
        return max(0.0, (1.0 - self.tokens) / rate_per_s)


_CLOCKS_DIFFER_S = 60


def make_hints(
    *, max_items: int, poll_s: int, is_loaded: bool, is_disk_low: bool, spread: float
) -> dict[str, Any]:
    """Return how the server would like to be spoken to.

    Parameters
    ----------
    poll_s
        How often an idle device should ask, on the average.
    is_loaded
        Pushes wait for each other: ask half as often, send smaller batches, keep photos for later.
    spread
        From 0 to 1, drawn anew for each answer: devices that ask at once now do not do so next time.
    """
    poll = poll_s * (2 if is_loaded else 1)
    return {
        "push_max_items": max(min(50, max_items), max_items // 4) if is_loaded else max_items,
        "next_poll_s": round(poll * (0.8 + 0.4 * spread)),
        "pause_photos": is_loaded or is_disk_low,
    }


def spell_hints(hints: dict[str, Any]) -> str:
    """Return hints as a header, a dictionary of structured fields (RFC 9651)."""
    return ", ".join(
        f"{name}={'?1' if value else '?0'}" if isinstance(value, bool) else f"{name}={value}"
        for name, value in hints.items()
    )
