"""What a ratio study refuses."""

from __future__ import annotations


class RatioStudyError(ValueError):
    """Figures that no statistic can be made of.

    Parameters
    ----------
    code : str
        Stable name of the fault, such as ``not_a_number``.
    message : str
        One line for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
