"""Why the office cannot be started."""


class CannotServe(Exception):
    """The start stops here; the message says why and what helps."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
