"""Writing the record. Each part of a card has its module; these are the names that others use."""

from assessment.property.services.decisions import (
    accept_observations,
    reject_observations,
    reopen_observations,
    withdraw_observations,
)
from assessment.property.services.inspections import record_inspection, record_inspections
from assessment.property.services.owners import record_confidentiality, transfer_ownership
from assessment.property.services.papers import attach_document, attach_photo, record_permit
from assessment.property.services.patch_types import CardPatch, FieldConflict, PatchResult
from assessment.property.services.patches import apply_card_patch, apply_card_patches
from assessment.property.services.record import (
    add_row,
    create_property,
    remove_row,
    retire_property,
    set_alias,
    update_row,
)
from assessment.property.services.restoring import restore_row
from assessment.property.services.sketch import put_section, recompute_areas
from assessment.property.services.tables import install_standard_codes, put_code

__all__ = [
    "CardPatch",
    "FieldConflict",
    "PatchResult",
    "accept_observations",
    "add_row",
    "apply_card_patch",
    "apply_card_patches",
    "attach_document",
    "attach_photo",
    "create_property",
    "install_standard_codes",
    "put_code",
    "put_section",
    "recompute_areas",
    "record_confidentiality",
    "record_inspection",
    "record_inspections",
    "record_permit",
    "reject_observations",
    "remove_row",
    "reopen_observations",
    "restore_row",
    "retire_property",
    "set_alias",
    "transfer_ownership",
    "update_row",
    "withdraw_observations",
]
