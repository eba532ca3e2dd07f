"""The app's models are its features' models."""

from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import (
    Device,
    DeviceEvent,
    DevicePace,
    EnrolmentCode,
    PersonSession,
    SpentNonce,
)
from fieldsync.feed.models import FeedHead, FeedStep, PackageRecord, SyncEpoch
from fieldsync.packages.models import Package
from fieldsync.photos.models import Upload
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.quality.models import Recheck, RecheckItem
from fieldsync.reconciliation.models import Statement
from fieldsync.review.models import ReviewAnswer

__all__ = [
    "Conflict",
    "Device",
    "DeviceEvent",
    "DevicePace",
    "EnrolmentCode",
    "FeedHead",
    "FeedStep",
    "Mutation",
    "Package",
    "PackageRecord",
    "PersonSession",
    "Quarantine",
    "Recheck",
    "RecheckItem",
    "ReviewAnswer",
    "SpentNonce",
    "Statement",
    "SyncEpoch",
    "Upload",
]
