"""What an answer may ask of the connection that it goes by."""

from __future__ import annotations

#: Set in a request's environment, it has `assessment.project.wsgi` end the connection after the answer.
CLOSE = "grandlist.close"
