"""The app's models are its features' models."""

from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device, EnrolmentCode
from fieldsync.feed.models import FeedHead, PackageRecord, SyncEpoch
from fieldsync.packages.models import Package
from fieldsync.photos.models import Upload
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.reconciliation.models import Statement

__all__ = [
    "Conflict",
    "Device",
    "EnrolmentCode",
    "FeedHead",
    "Mutation",
    "Package",
    "PackageRecord",
    "Quarantine",
    "Statement",
    "SyncEpoch",
    "Upload",
]
