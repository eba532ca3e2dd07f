"""What can go wrong with an appeal."""

from __future__ import annotations

from assessment.region.errors import Conflict, Invalid


class PetitionLate(Invalid):
    """The petition was received after the last day."""

    code, title = "petition-late", "The petition came after the last day"


class PetitionExists(Conflict):
    """The board has a petition about this account already."""

    code, title = "petition-exists", "There is a petition about this account"


class PetitionClosed(Conflict):
    """The petition is decided, withdrawn or will not be heard."""

    code, title = "petition-closed", "The petition is closed"


class NoticeTooShort(Invalid):
    """The petitioner would be told too late before the hearing."""

    code, title = "notice-too-short", "The notice of the hearing is too short"


class MustBeHeard(Invalid):
    """The board may not decline to hear this petition."""

    code, title = "must-be-heard", "This petition must be heard"
