"""A mutation in words, however broken it is."""

from __future__ import annotations

import json

from fieldsync.push.rules import escaped_json
from fieldsync.quarantine.rules import describe


def test_what_no_database_takes_is_read_all_the_same() -> None:
    body = {
        "kind": "inspection.create",
        "data": {"note": "visit 266 " + "x" * 280, "entry_code": "1"},
        "changes": {"building/1/style": {"base": "half of a pair \ud800", "new": "Cape\x00"}},
    }
    said = describe(json.loads(escaped_json(body)))
    assert said.what == "Kept in escaped form: Visit"
    assert not said.is_readable
    assert ("entry_code", "1") in said.facts
    assert dict(said.facts)["note"].startswith("visit 266 ")
    (line,) = said.changes
    assert (line.name, line.base, line.new) == ("style", "half of a pair \\ud800", "Cape\\x00")
    said.what.encode()


def test_what_is_no_escaped_form_is_shown_as_it_is() -> None:
    for kept in ("no hexadecimal", "ff", "7b", 7, None):
        said = describe({"unstorable": kept})
        assert said.what == "Kept in escaped form"
        assert said.facts == [("content", "" if kept is None else str(kept))]
