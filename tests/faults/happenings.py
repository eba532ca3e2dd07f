"""What can happen in a world beside the faults of a line; each is counted where it truly happens."""

from __future__ import annotations

from enum import StrEnum


class Happening(StrEnum):
    """What tablets and the office do, and what is done to them."""

    ODDITY = "a change that no server can apply"
    CLOCK = "a tablet's clock jumps by up to a year"
    NEW_APP = "a tablet's app is updated to a newer schema"
    COPIED = "a tablet is copied, key and outbox included"
    CLEARED = "the office clears up a suspected copy"
    SHUFFLED = "an outbox is sent again, shuffled, in batches of any size"
    EDITED = "the office changes a field"
    ANSWERED = "the office answers a conflict"
    ACCEPTED = "the office accepts what waits"
    APPLIED = "the office applies what is in quarantine"
    DISCARDED = "two persons discard what is in quarantine"
    MOVED = "a house is moved to another package"
    REASSIGNED = "a package is given to another tablet"
    REBUILT = "a package is built anew"
    RETIRED = "an account is retired"
    SUSPENDED = "a tablet is suspended"
    RESUMED = "a tablet is let in again"
    REVOKED = "a tablet is revoked, to be empty after it handed over"
    BACKED_UP = "a backup is taken"
    RESTORED = "the server is restored from an older backup"
