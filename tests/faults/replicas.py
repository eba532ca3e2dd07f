"""Watches the feeds as tablets are shown them: numbers grow, and heads never go back within an epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.line import Answer, Sent


class FeedWatch:
    """What was delivered of each package's feed."""

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.troubles: list[str] = []
        self.pages = 0

    def begin_epoch(self) -> None:
        """Forget the heads: after a restore numbers begin where the backup stood."""
        self.heads.clear()

    def see(self, sent: Sent, answer: Answer) -> None:
        """Look at one answer."""
        from tests.faults.line import json_of

        path = sent.url.path
        if not path.endswith("/changes") or answer.status != 200:
            return
        self.pages += 1
        page, package = json_of(answer), path.split("/")[-2]
        numbers = [change["seq"] for change in page["changes"]]
        if sorted(set(numbers)) != numbers:
            self.troubles.append(f"I5 package {package}: numbers {numbers} do not grow")
        if numbers and numbers[-1] > page["head_seq"]:
            self.troubles.append(f"I5 package {package}: number {numbers[-1]} is above the head")
        if page["head_seq"] < self.heads.get(package, 0):
            self.troubles.append(f"I5 package {package}: the head went back to {page['head_seq']}")
        self.heads[package] = page["head_seq"]
