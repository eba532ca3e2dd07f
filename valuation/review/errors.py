"""What can go wrong between a run and the list."""

from __future__ import annotations

from assessment.region.errors import Conflict, Forbidden, Invalid, NotFound


class OverrideNotFound(NotFound):
    """There is no such override in the town."""

    code, title = "override-not-found", "There is no such override"


class OverrideInvalid(Invalid):
    """No such reason, no note, or an amount that is no value."""

    code, title = "override-invalid", "The override cannot be taken as given"


class OverrideWaiting(Conflict):
    """Another override of the same value waits for a second person."""

    code, title = "override-waiting", "Another override of this value waits already"


class OverrideDecided(Conflict):
    """The override was decided, withdrawn or replaced before."""

    code, title = "override-decided", "The override was decided before"


class SecondPersonNeeded(Forbidden):
    """Who asked for an override cannot be the second person who agrees to it."""

    code, title = "second-person-needed", "Another person has to agree"


class NotClosed(Conflict):
    """A revaluation is posted only after its run was closed, and its values are those that were closed."""

    code, title = "run-not-closed", "The run's checks are not closed"


class ChecksMissed(Conflict):
    """Checks are missed and not accepted; ``checks`` names them with what they found."""

    code, title = "closing-checks-missed", "Some checks are missed"


class RunPosted(Conflict):
    """The run's values are on the list, so many of them are not changed or taken back at once any more."""

    code, title = "run-posted", "The run was posted to the list"


class ValuesChanged(Conflict):
    """The values are not those that were seen in the preview."""

    code, title = "values-changed", "The values changed since they were seen"


class NothingToJudge(Invalid):
    """A ratio study was asked of a value that does not exist, or that the run does not have; ``choices`` names those it has."""

    code, title = "nothing-to-judge", "The run has no such value to judge"
