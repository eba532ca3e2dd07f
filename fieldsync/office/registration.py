"""What the field shows in the office's frame."""

from __future__ import annotations

from assessment.office import registries as office
from assessment.region.rules import Permission
from fieldsync.office.conflict_pages import conflicts_state
from fieldsync.office.photo_pages import photos_state
from fieldsync.office.quarantine_pages import quarantine_state
from fieldsync.office.watch_pages import alarms_state


def register() -> None:
    """Register the field's navigation and queues."""
    office.nav_items.register(
        office.NavItem(
            id="fieldsync.field",
            title="Field",
            order=35,
            permission=Permission.VIEW,
            url_name="field-packages",
            area="field",
        )
    )
    for name, title, state in (
        ("conflicts", "Conflicts between field and office", conflicts_state),
        ("quarantine", "Sent by tablets and not applied", quarantine_state),
        ("photos", "Photos overdue or in quarantine", photos_state),
    ):
        office.queues.register(
            office.Queue(
                id=f"fieldsync.{name}",
                title=title,
                order=20,
                permission=Permission.ACCEPT_OBSERVATIONS,
                state=state,
            )
        )
    office.queues.register(
        office.Queue(
            id="fieldsync.alarms",
            title="Alarms of the field",
            order=19,
            permission=Permission.MANAGE_DEVICES,
            state=alarms_state,
        )
    )
