"""The server's time as a tablet knows it: its own clock, set right by what it last heard, never before that."""

import datetime as dt
from collections.abc import Callable

from fieldsync.client.store import Store

_KEEP_AGAIN_S = 60.0


class KnownTime:
    """Kept on the disk, so that it outlives the app.

    A clock that is set back does not go behind the last answer of the server; one that is set forward is
    believed until the server is heard again. So it may end what a person may begin, and decides nothing else:
    what is deleted goes by the server's signed statements alone.
    """

    def __init__(self, store: Store, clock: Callable[[], dt.datetime]) -> None:
        self._store, self._clock = store, clock
        self._offset_s = float(store.get("clock_behind_s") or 0)
        heard = store.get("server_time")
        self._heard = dt.datetime.fromisoformat(heard) if heard else None

    def hear(self, server_time: str) -> None:
        """Note what time it is at the server, from an answer that has just come."""
        heard = dt.datetime.fromisoformat(server_time)
        offset_s = (heard - self._clock()).total_seconds()
        kept = self._store.get("server_time")
        is_stale = (
            kept is None or abs((heard - dt.datetime.fromisoformat(kept)).total_seconds()) > _KEEP_AGAIN_S
        )
        if is_stale or abs(offset_s - self._offset_s) > 1:
            self._store.set(clock_behind_s=f"{offset_s:.3f}", server_time=heard.isoformat())
        self._offset_s, self._heard = offset_s, heard

    def now_s(self) -> float:
        """Return the time in seconds since 1970."""
        now_s = self._clock().timestamp() + self._offset_s
        return max(now_s, self._heard.timestamp()) if self._heard else now_s
