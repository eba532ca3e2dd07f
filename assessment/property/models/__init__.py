"""The record: what is known of each property. One module for each part of a card."""

from assessment.property.models.account import (
    Complex,
    ConfidentialityRequest,
    Owner,
    Ownership,
    Property,
    PropertyAlias,
    UserFieldDefinition,
)
from assessment.property.models.building import Building, Feature, Section
from assessment.property.models.codes import Code, StateCode
from assessment.property.models.files import Blob, Document, Permit, Photo
from assessment.property.models.imports import ImportRun, StatedValue
from assessment.property.models.inspection import Inspection, Observation
from assessment.property.models.journal import JournalEntry
from assessment.property.models.land import LandLine

__all__ = [
    "Blob",
    "Building",
    "Code",
    "Complex",
    "ConfidentialityRequest",
    "Document",
    "Feature",
    "ImportRun",
    "Inspection",
    "JournalEntry",
    "LandLine",
    "Observation",
    "Owner",
    "Ownership",
    "Permit",
    "Photo",
    "Property",
    "PropertyAlias",
    "Section",
    "StateCode",
    "StatedValue",
    "UserFieldDefinition",
]
