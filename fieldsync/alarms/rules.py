"""What is an alarm in the field: stable codes, what each means, what to do. Plain Python.

docs/operations.md lists them all; a test keeps it complete.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Severity(StrEnum):
    """``error``: data may be at risk, act today. ``warning``: somebody should look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on something is an alarm; the values are in ``parameters/alarms.yaml``."""

    held_hours: int
    quarantine_days: int
    conflict_days: int
    silent_hours: int
    photo_days: int
    store_lost_days: int
    clock_minutes: int
    disk_free_percent: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alarm.

    Attributes
    ----------
    code
        Stable: scripts and monitoring name it.
    say
        The sentence, with ``{count}``, ``{age}`` and ``{s}`` for the plural.
    do
        What to do first.
    """

    code: str
    severity: Severity
    title: str
    say: str
    do: str


KINDS = {
    kind.code: kind
    for kind in (
        Kind(
            "package-checksum-mismatch",
            Severity.ERROR,
            "A tablet's records are not the server's",
            "{count} package{s} had other contents than the server at the last statement",
            "Let the tablet sync: it takes the package anew. Then report it: this must never happen.",
        ),
        Kind(
            "local-store-lost",
            Severity.ERROR,
            "A tablet lost its own store",
            "The tablet knew less of its own work than the server, first {age} ago",
            "What was sent is safe. Ask the collector what was done since the last sync, and see that the app is "
            "installed and its storage persisted.",
        ),
        Kind(
            "clone-suspected",
            Severity.ERROR,
            "A tablet may have been copied",
            "{count} change{s} came under a number that the tablet had used before, first {age} ago",
            "Both are kept. Suspend the tablet, enrol it anew, and decide what waits in quarantine.",
        ),
        Kind(
            "device-silent",
            Severity.ERROR,
            "A tablet with work is silent",
            "It said that it holds {count} item{s} and has not been heard for {age}",
            "Call who carries it; bring it to a network before anything else is done with it.",
        ),
        Kind(
            "disk-reserve",
            Severity.ERROR,
            "The server's disk is below its reserve",
            "Less than the reserve is left: photos are answered 507 and wait on the tablets",
            "Make room. Facts are still taken; photos come by themselves when there is room again.",
        ),
        Kind(
            "held-too-old",
            Severity.WARNING,
            "Changes wait for something that has not arrived",
            "{count} change{s} wait{v} for another, the oldest for {age}",
            "Look at the tablet's page: what they wait for is still on it, or on another one.",
        ),
        Kind(
            "quarantine-unattended",
            Severity.WARNING,
            "Quarantine is unattended",
            "{count} item{s} wait{v} for a decision, the oldest for {age}",
            "Decide them in the field's quarantine: nothing leaves it without a person.",
        ),
        Kind(
            "conflicts-unattended",
            Severity.WARNING,
            "Conflicts are unattended",
            "{count} conflict{s} wait{v} for a decision, the oldest for {age}",
            "Decide them in the field's conflicts; both values are kept until then.",
        ),
        Kind(
            "photos-missing",
            Severity.WARNING,
            "Photos were declared and never came",
            "{count} photo{s} declared and not received, the oldest for {age}",
            "Let the tablet sync on a good line; its statement asks for them by hash.",
        ),
        Kind(
            "clock-suspect",
            Severity.WARNING,
            "A tablet's clock is wrong",
            "Its clock is off by {age}",
            "Set the tablet's clock to automatic. Nothing was refused for it; the offset is kept with each change.",
        ),
        Kind(
            "disk-low",
            Severity.WARNING,
            "The server's disk is filling",
            "Less than the stated share is free",
            "Make room before the reserve is reached.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that somebody should act on.

    Attributes
    ----------
    town_code
        None when it is the whole server's.
    subject
        The tablet's name, where it is one tablet's.
    """

    code: str
    count: int = 1
    age: dt.timedelta = dt.timedelta(0)
    town_code: int | None = None
    device_id: UUID | None = None
    subject: str = ""

    @property
    def kind(self) -> Kind:
        """What it means and what to do."""
        return KINDS[self.code]

    @property
    def sentence(self) -> str:
        """What is the matter, in one sentence."""
        plural = "" if self.count == 1 else "s"
        return self.kind.say.format(
            count=f"{self.count:,}", age=spell_age(self.age), s=plural, v="s" if self.count == 1 else ""
        )


def spell_age(age: dt.timedelta) -> str:
    """Return an age as a person says it: ``40 minutes``, ``30 hours``, ``12 days``."""
    minutes = int(abs(age.total_seconds()) // 60)
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    if minutes < 48 * 60:
        return f"{minutes // 60} hours"
    return f"{minutes // (24 * 60)} days"


def disk_alarms(*, free_bytes: int, total_bytes: int, reserve_bytes: int, limits: Thresholds) -> list[Alarm]:
    """Return the alarm of the disk, if there is one."""
    if free_bytes < reserve_bytes:
        return [Alarm("disk-reserve")]
    if free_bytes * 100 < total_bytes * limits.disk_free_percent:
        return [Alarm("disk-low")]
    return []


def in_order(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Return errors before warnings, the oldest first."""
    return sorted(
        alarms, key=lambda a: (a.kind.severity != Severity.ERROR, a.code, -a.age.total_seconds(), a.subject)
    )
