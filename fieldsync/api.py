"""The tablets' API: every feature's router, mounted at /api/field/v1/ by `assessment.project.api`."""

from ninja import Router

from fieldsync.conflicts.api import router as conflicts
from fieldsync.devices.api import people
from fieldsync.devices.api import router as devices
from fieldsync.feed.api import router as feed
from fieldsync.packages.api import router as packages
from fieldsync.photos.api import router as photos
from fieldsync.push.api import router as push
from fieldsync.reconciliation.api import router as reconciliation

router = Router()
router.add_router("/devices", devices)
router.add_router("", people)
router.add_router("", packages)
router.add_router("", feed)
router.add_router("", push)
router.add_router("", conflicts)
router.add_router("", photos)
router.add_router("", reconciliation)
