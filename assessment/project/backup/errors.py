"""What can go wrong with backups."""

from assessment.region.errors import Conflict, Invalid, Problem


class BackupRefused(Invalid):
    """The backup cannot be made as asked."""

    code, title = "backup-refused", "The backup cannot be made this way"


class BackupDamaged(Problem):
    """The backup is incomplete or was altered."""

    code, title, status = "backup-damaged", "The backup is damaged", 500


class RestoreRefused(Conflict):
    """The restore would overwrite something, or lacks something."""

    code, title = "restore-refused", "The restore cannot be done this way"


class RestoreDiffers(Problem):
    """What was restored is not what was backed up."""

    code, title, status = "restore-differs", "The restored database differs from the backup", 500


class DatabaseProgramFailed(Problem):
    """pg_dump or pg_restore failed."""

    code, title, status = "database-program-failed", "A program of PostgreSQL failed", 500
