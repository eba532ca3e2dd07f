"""What can go wrong with transfers."""

from assessment.region.errors import Conflict, Invalid, NotFound


class TransferNotFound(NotFound):
    """No such transfer in the towns in scope."""

    code, title = "transfer-not-found", "There is no such transfer"


class TransferPropertyUnknown(Invalid):
    """The property that a person gave is not one of the transfer's town."""

    code, title = "transfer-property-unknown", "The town has no such property"


class TransferDecisionNeedsReason(Invalid):
    """A decision on validity states no reason, or no known validity."""

    code, title = "transfer-decision-needs-reason", "A decision on a sale needs a validity and a reason"


class TransferNotDecided(Conflict):
    """There is no decision to withdraw."""

    code, title = "transfer-not-decided", "Nobody has decided on this transfer"
