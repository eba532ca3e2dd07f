"""Invented owners: no source of the demonstration has any. Every one is marked synthetic on the record."""

from collections.abc import Sequence
from dataclasses import dataclass

from assessment.demo.rules.chance import draw

FIRST_NAMES = (
    "Aaliyah", "Abel", "Ada", "Alan", "Alba", "Amir", "Ana", "Arthur", "Beatriz", "Bernard", "Bianca",
    "Boris", "Calvin", "Carmen", "Cecilia", "Chen", "Clara", "Cyrus", "Dalia", "Daniel", "Denise", "Dmitri",
    "Edith", "Elena", "Emeka", "Erin", "Esther", "Farid", "Fiona", "Frank", "Gita", "Grace", "Gustavo",
    "Hana", "Harold", "Helen", "Ibrahim", "Ines", "Isaac", "Jamal", "Joan", "Jorge", "Kamala", "Keith",
    "Kwame", "Laura", "Leon", "Lin", "Mabel", "Marco", "Mei", "Miriam", "Nadia", "Nathan", "Nora", "Olga",
    "Omar", "Oscar", "Paula", "Pedro", "Priya", "Quentin", "Rachel", "Ravi", "Rosa", "Samuel", "Sofia",
    "Stella", "Tariq", "Teresa", "Thomas", "Uma", "Vera", "Victor", "Wanda", "Xavier", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Acosta", "Adeyemi", "Amato", "Baker", "Banerjee", "Barros", "Becker", "Bianchi", "Brooks",
    "Carrillo", "Chang", "Cohen", "Cruz", "Dabrowski", "Davis", "Diaz", "Donnelly", "Dube", "Eaton",
    "Esposito", "Farrell", "Fischer", "Fontaine", "Garcia", "Gold", "Grant", "Greco", "Haddad", "Hansen",
    "Hill", "Ito", "Jackson", "Jensen", "Kaplan", "Keller", "Khan", "Kim", "Kowalski", "Lambert", "Lee",
    "Lopez", "Marino", "Mensah", "Meyer", "Moore", "Nguyen", "Novak", "Okafor", "Olsen", "Ortiz", "Park",
    "Patel", "Pereira", "Quinn", "Ramos", "Reyes", "Rossi", "Ryan", "Santos", "Schmidt", "Shah", "Silva",
    "Singh", "Sullivan", "Tanaka", "Torres", "Usman", "Vargas", "Vitale", "Wagner", "Walsh", "Weiss",
    "Williams", "Wong", "Yilmaz", "Young", "Zhang", "Zielinski",
)  # fmt: skip
COMPANY_WORDS = ("Holdings", "Properties", "Realty", "Associates", "Partners")
_WITH_CO_OWNER = 0.42
_SAME_LAST_NAME = 0.85


@dataclass(frozen=True)
class OwnerNames:
    """An invented owner, and a co-owner or nothing."""

    name: str
    co_name: str


def invent_owners(keys: Sequence[str], *, is_company: Sequence[bool]) -> list[OwnerNames]:
    """Invent one owner for each key; the same key always gets the same.

    Parameters
    ----------
    is_company
        Whether the property is of a kind that companies own.
    """
    chances = [draw(keys, purpose) for purpose in ("first", "last", "both", "second first", "second last")]
    owners = []
    for place, company in enumerate(is_company):
        first, last, both, second_first, second_last = (float(column[place]) for column in chances)
        family = _pick(LAST_NAMES, last)
        if company:
            owners.append(OwnerNames(f"{family} {_pick(COMPANY_WORDS, first)} LLC", ""))
            continue
        name = f"{family}, {_pick(FIRST_NAMES, first)}"
        if both >= _WITH_CO_OWNER:
            owners.append(OwnerNames(name, ""))
            continue
        other = family if second_last < _SAME_LAST_NAME else _pick(LAST_NAMES, (second_last * 97) % 1)
        owners.append(OwnerNames(name, f"{other}, {_pick(FIRST_NAMES, second_first)}"))
    return owners


def _pick(names: Sequence[str], chance: float) -> str:
    return names[int(chance * len(names))]
