"""What can go wrong with jobs."""

from assessment.region.errors import Conflict, Problem


class UnknownKind(Problem):
    """No handler is registered for this kind of job."""

    code, title, status = "job-kind-unknown", "There is no such kind of job", 422


class JobStateConflict(Conflict):
    """The job is in a state that does not allow the step."""

    code, title = "job-state", "The job is not in a state that allows this"


class JobAbandoned(Problem):
    """The worker died as often as is allowed."""

    code, title, status = "job-abandoned", "The work was begun several times and never finished", 500


class JobCancelled(Exception):
    """Somebody cancelled the job; raised by `Progress` inside the handler."""


class ClaimLost(Exception):
    """Another run took the job over; this one must not write any more."""
