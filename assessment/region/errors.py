"""Everything that can go wrong and be told to a person or a program, as RFC 9457 problems.

A problem has a stable string ``code`` (the last part of its ``type``), a title, an HTTP status and named
data. Features subclass `Problem`; one translator (`assessment.region.problems`) makes the answer, and
commands print one line. docs/problems.md lists all codes, and a test keeps it complete.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Problem(Exception):
    """A refusal or failure with a stable code.

    Parameters
    ----------
    detail
        One sentence for a person, saying what is wrong and, where possible, what to do.
    data
        Named values for programs; they become members of the problem document.
    """

    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on the server"
    status: ClassVar[int] = 500

    def __init__(self, detail: str = "", **data: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.data = data


class NotFound(Problem):
    """No such thing, or it belongs to a town that is not in scope: the two are told apart by nothing."""

    code, title, status = "not-found", "There is no such page or record", 404


class Forbidden(Problem):
    """The person is known, sees the town, and lacks the permission."""

    code, title, status = "forbidden", "Your role does not allow this", 403


class SignInNeeded(Problem):
    """Nobody is signed in."""

    code, title, status = "sign-in-needed", "Sign in first", 401


class Invalid(Problem):
    """The input breaks a rule; the detail says which."""

    code, title, status = "invalid", "The input is not valid", 422


class Conflict(Problem):
    """The thing is in a state that does not allow the step."""

    code, title, status = "conflict", "The record is in a state that does not allow this", 409
