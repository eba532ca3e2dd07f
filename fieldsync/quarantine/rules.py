"""A mutation in words: what it says, whoever wrote it and however broken it is. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

KINDS = {
    "inspection.create": "Visit",
    "card.patch": "Changes to a card",
    "photo.declare": "Photo",
    "review.answer": "Review of a value",
}
_ENVELOPE = frozenset(
    {
        "mutation_id", "device_seq", "kind", "entity_id", "captured_at", "actor_id", "package_id", "schema_version",
        "changes", "data", "base_version",
    }
)  # fmt: skip
_MOST_LINES = 60
_MOST_LETTERS = 300


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One field of a card as a mutation names it."""

    where: str
    name: str
    base: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Description:
    """What a mutation says, for a person.

    Attributes
    ----------
    what
        Its kind in words.
    facts
        Everything but the changes, by name.
    changes
        Fields of a card, with what the tablet showed and what was found.
    is_readable
        Whether it could be read as a mutation at all; else ``facts`` is what was there.
    """

    what: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    changes: list[ChangeLine] = field(default_factory=list)
    is_readable: bool = True


def describe(body: Any) -> Description:
    """Return what a body says; nothing about it raises."""
    if not isinstance(body, Mapping):
        return Description("Not a mutation", [("content", _short(body))], is_readable=False)
    if set(body) == {"unstorable"}:
        return _describe_escaped(body["unstorable"])
    kind = str(body.get("kind", ""))
    data = body.get("data")
    facts = [(name, _short(value)) for name, value in body.items() if name not in _ENVELOPE]
    if isinstance(data, Mapping):
        facts += list(_flat(data))
    elif data is not None:
        facts.append(("data", _short(data)))
    seen = body.get("changes")
    old = data.get("observations") if isinstance(data, Mapping) else None
    changes = [line for each in (seen, old) for line in _changes(each)]
    return Description(
        KINDS.get(kind, kind or "Without a kind"), facts[:_MOST_LINES], changes[:_MOST_LINES], kind in KINDS
    )


def as_note(description: Description) -> str:
    """Return a description as the lines of a note."""
    lines = [description.what, *(f"{name}: {value}" for name, value in description.facts)]
    for line in description.changes:
        where = f"{line.where} " if line.where else ""
        lines.append(f"{where}{line.name}: {_short(line.base)} -> {_short(line.new)}")
    return "\n".join(lines)


def _changes(seen: Any) -> Iterator[ChangeLine]:
    if not isinstance(seen, Mapping):
        return
    for path, change in seen.items():
        where, _, name = str(path).rpartition("/")
        where = where.partition("/")[0]
        if isinstance(change, Mapping):
            yield ChangeLine(where, name, change.get("base"), change.get("new"))
        else:
            yield ChangeLine(where, name, None, change)


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if name == "observations":
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name} {inner}", _short(each)) for inner, each in value.items())
        else:
            yield name, _short(value)


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]} …"


def _describe_escaped(kept: Any) -> Description:
    """Describe what no database takes, as an unpaired half of a character: that is spelled, the rest is read."""
    try:
        said = describe(_spelled(json.loads(bytes.fromhex(kept).decode("ascii"))))
    except (TypeError, ValueError, RecursionError):
        said = Description("", [("content", _short(kept))])
    what = f"Kept in escaped form: {said.what}" if said.what else "Kept in escaped form"
    return replace(said, what=what, is_readable=False)


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    if isinstance(value, Mapping):
        return {_spelled(name): _spelled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_spelled(inner) for inner in value]
    return value
