"""The reference tablet: everything a client of the field protocol must do, in plain Python.

Needs httpx and cryptography only, and nothing of the server. docs/sync-protocol.md explains the protocol.

    tablet = Tablet(Path("tablet-1"), "https://assessor.example.gov")
    tablet.enrol("053-7K3M-9QXF-2HTP", name="Tablet 1")
    for package in tablet.list_packages():
        tablet.download(package["package_id"])
    tablet.patch_card(property_id, {"living_area_sqft": 1846})
    tablet.sync()
"""

from fieldsync.client.session import Entry, SessionState, WorkRefused
from fieldsync.client.signed import NotSigned
from fieldsync.client.tablet import Tablet
from fieldsync.client.transport import ProblemAnswer, Transport

__all__ = [
    "Entry",
    "NotSigned",
    "ProblemAnswer",
    "SessionState",
    "Tablet",
    "Transport",
    "WorkRefused",
]
