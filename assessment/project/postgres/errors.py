"""What can go wrong with the local cluster, in words that say what to do."""


class LauncherError(Exception):
    """The local PostgreSQL cannot be made, started or used; the message says why and what helps.

    Parameters
    ----------
    code
        Stable name of the trouble, such as ``postgres-start-failed``.
    message
        One or more plain sentences for the person at the terminal.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
