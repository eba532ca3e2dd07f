"""The app's models are its features' models."""

from assessment.appeals.models import Decision, Hearing, Petition
from assessment.jobs.models import Job
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
from assessment.roll.models import *  # noqa: F403
from assessment.sales.models import SaleFinding, Transfer

__all__ = [
    "Agreement",
    "AgreementTown",
    "CostShare",
    "Decision",
    "Hearing",
    "Job",
    "Person",
    "Petition",
    "RoleAssignment",
    "SaleFinding",
    "Town",
    "TownPolicy",
    "Transfer",
]
