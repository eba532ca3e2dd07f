"""The state's abstract codes: classes with detail codes, and four-letter codes of exempt property."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class UnknownCodeError(LookupError):
    """A code stands in no table of the abstract in force."""


@dataclass(frozen=True, slots=True)
class DetailCode:
    """A detail code of one kind of list: the class it adds up to and the component it stands for."""

    kind: str
    code: str
    label: str
    state_class: str
    component: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ExemptFamily:
    """A run of four-letter codes of tax-exempt property under one statute, both ends included."""

    first: str
    last: str
    statute: str
    label: str
    labels: Mapping[str, str]

    def holds(self, code: str) -> bool:
        """Say whether `code` belongs to the family."""
        return self.first <= code <= self.last and len(code) == 4 and code.endswith("X")


@dataclass(frozen=True, slots=True)
class AbstractCodes:
    """The abstract coding system as of one date."""

    document: str
    updated_on: str
    classes: Mapping[str, str]
    details: Mapping[tuple[str, str], DetailCode]
    families: tuple[ExemptFamily, ...]

    def detail(self, kind: str, code: str) -> DetailCode:
        """Return the detail code of a kind of list (``supplemental`` uses the vehicles' codes).

        Raises
        ------
        UnknownCodeError
            When the abstract has no such code.
        """
        found = self.details.get(("motor_vehicle" if kind == "supplemental" else kind, code))
        if found is None:
            raise UnknownCodeError(f"{code!r} is no detail code of a {kind.replace('_', ' ')} list")
        return found

    def details_of(self, kind: str) -> list[DetailCode]:
        """Return the detail codes of a kind of list, in the abstract's order."""
        return [item for item in self.details.values() if item.kind == kind]

    def detail_for(self, kind: str, state_class: str, component: str) -> DetailCode:
        """Return the first detail code of a class for a component (``land``, ``building``, ``outbuilding``).

        What a class has no code for goes where its buildings, outbuildings or land go, in that order.

        Raises
        ------
        UnknownCodeError
            When there is no such class.
        """
        codes = [item for item in self.details_of(kind) if item.state_class == state_class]
        for wanted in (component, "building", "outbuilding", "land"):
            for item in codes:
                if item.component == wanted:
                    return item
        if codes:
            return codes[0]
        raise UnknownCodeError(f"{state_class!r} is no class of a {kind.replace('_', ' ')} list")

    def exempt_label(self, code: str) -> str:
        """Return what a four-letter code of exempt property means.

        Raises
        ------
        UnknownCodeError
            When it belongs to no family.
        """
        for family in self.families:
            if family.holds(code):
                return f"{family.labels.get(code, family.label)} (CGS {family.statute})"
        raise UnknownCodeError(f"{code!r} is no code of tax-exempt property")


def codes_from_mapping(raw: Mapping[str, Any]) -> AbstractCodes:
    """Build the abstract's codes from the mapping its reference file holds."""
    details: dict[tuple[str, str], DetailCode] = {}
    classes: dict[str, str] = {}
    for kind, state_class, label, rows in _classes(raw["kinds"]):
        classes[state_class] = label
        for row in rows:
            code = str(row["code"])
            if (kind, code) in details:
                raise ValueError(f"detail code {code} stands twice among the {kind} codes")
            details[kind, code] = DetailCode(
                kind, code, row["label"], state_class, row["component"], bool(row["verified"])
            )
    families = tuple(
        ExemptFamily(row["first"], row["last"], row["statute"], row["label"], row.get("labels") or {})
        for row in raw["exempt_property"]
    )
    return AbstractCodes(raw["document"], str(raw["updated_on"]), classes, details, families)


def _classes(kinds: Mapping[str, Any]) -> Iterable[tuple[str, str, str, list[Mapping[str, Any]]]]:
    for kind, classes in kinds.items():
        for entry in classes:
            yield kind, str(entry["class"]), entry["label"], entry["details"]
