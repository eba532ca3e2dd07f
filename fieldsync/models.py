"""The app's models are its features' models."""

from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device, EnrolmentCode
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
    "EnrolmentCode",
    "FeedHead",
    "FeedStep",
    "Mutation",
    "Package",
    "PackageRecord",
    "Quarantine",
    "Recheck",
    "RecheckItem",
    "ReviewAnswer",
    "Statement",
    "SyncEpoch",
    "Upload",
]
