"""What goes up: the outbox in batches, photos by their bytes."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from fieldsync.client import uploads
from fieldsync.client.people import People
from fieldsync.client.transport import ProblemAnswer

BATCH = 200
# Whole batches that the server refuses for what is in them; it is looked for by halves.
_SPLIT = frozenset({"batch-too-large", "bad-json", "bad-batch"})


class Sending(People):
    """The part of a `fieldsync.client.Tablet` that sends."""

    app_version: str
    hints: dict[str, Any]

    @property
    def device_id(self) -> str:
        """The id that the server gave at enrolment, or the empty string."""
        return self.transport.device_id

    def push(self) -> list[dict[str, Any]]:
        """Send everything unfinished in batches; returns the results, each naming its mutation.

        What was answered is kept batch by batch. A batch that the server cannot read is sent in halves,
        so that one item that it refuses stays behind alone, in the outbox.
        """
        results: list[dict[str, Any]] = []
        last, size = 0, self._batch_size()
        while batch := self.session.cut(self.store.unfinished(size, after=last)):
            try:
                answer = self.push_batch(batch)
            except ProblemAnswer as problem:
                if problem.code not in _SPLIT:
                    raise
                if len(batch) == 1:
                    last, size = batch[-1]["device_seq"], self._batch_size()
                else:
                    size = len(batch) // 2
                continue
            self.store.finish(answer["results"])
            self.hints = answer["hints"]
            results += answer["results"]
            last, size = batch[-1]["device_seq"], self._batch_size()
        return results

    def _batch_size(self) -> int:
        return max(1, min(BATCH, int(self.hints.get("push_max_items", BATCH))))

    def push_batch(self, mutations: list[dict[str, Any]]) -> dict[str, Any]:
        """Send one batch as it is and return the answer, without touching the outbox."""
        body = {
            "batch_id": str(self.make_id()),
            "device_id": self.device_id,
            "app_version": self.app_version,
            "schema_version": self.schema_version,
            "client_time": self._now(),
            "queue": self.queue_state(),
            "grants": self.session.grants_for(mutations),
            "mutations": mutations,
        }
        content = gzip.compress(json.dumps(body).encode(), 1)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer: dict[str, Any] = self.transport.send("POST", "push", headers=headers, content=content).json()
        self.time.hear(answer["server_time"])
        return answer

    def upload_photos(self) -> int:
        """Send the bytes of every photo the server still lacks; returns how many it has acknowledged."""
        waiting = self.store.photos("waiting")
        known: set[str] = set()
        for start in range(0, len(waiting), 100):
            hashes = [photo["sha256"] for photo in waiting[start : start + 100]]
            answer = self.transport.send("POST", "photos/lookup", json={"sha256": hashes}).json()
            known |= set(answer["known"])
        for photo in waiting:
            if photo["sha256"] in known:
                self.store.set_photo(photo["photo_id"], state="received", url=photo["url"])
                continue
            url = uploads.send_photo(self.transport, photo, url=photo["url"], begun=self._note_upload(photo))
            self.store.set_photo(photo["photo_id"], state="received", url=url)
        return len(waiting)

    def _note_upload(self, photo: dict[str, Any]) -> Callable[[str], None]:
        """Return what keeps the address of an upload that is not finished in one go."""
        return lambda url: self.store.set_photo(photo["photo_id"], state="waiting", url=url)
