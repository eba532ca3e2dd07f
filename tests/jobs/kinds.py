"""A kind of work that lasts until a file appears; loaded by the workers of the tests."""

import threading
from pathlib import Path

from assessment.jobs.registry import RunningJob, job_handler


@job_handler("wait_for_file")
def wait_for_file(job: RunningJob) -> dict[str, int]:
    """Report progress until the file of the payload is there."""
    beats = 0
    while not Path(job.payload["file"]).exists():
        beats += 1
        job.progress(beats, label="waiting")
        threading.Event().wait(0.05)
    return {"beats": beats}
