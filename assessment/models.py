"""The app's models are its features' models."""

from assessment.property.models import *  # noqa: F403
from assessment.region.models import (
    Agreement,
    AgreementTown,
    CostShare,
    Person,
    RoleAssignment,
    Town,
    TownPolicy,
)

__all__ = ["Agreement", "AgreementTown", "CostShare", "Person", "RoleAssignment", "Town", "TownPolicy"]
