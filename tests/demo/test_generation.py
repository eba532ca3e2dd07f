import numpy as np
import pandas as pd
import pytest

from assessment.demo.files import stored
from assessment.demo.rules.chance import draw
from assessment.demo.rules.houses import draw_houses, usable_donors
from assessment.demo.rules.owners import invent_owners
from assessment.demo.rules.uses import read_use


@pytest.fixture(scope="module")
def cards() -> pd.DataFrame:
    return pd.read_csv(stored("new_haven_cama.csv"))


def houses(*rows: tuple[str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["key", "year_built", "dwellings"])


def test_chance_depends_on_the_key_and_the_purpose_alone() -> None:
    alone, among = draw(["b"], "roof"), draw(["a", "b", "c"], "roof")
    assert alone[0] == among[1]
    assert draw(["b"], "floor")[0] != alone[0]
    # A golden number: another would mean that every demonstration changes.
    assert alone[0] == pytest.approx(0.9594518, abs=1e-7)


def test_chance_is_even() -> None:
    numbers = draw([str(number) for number in range(20_000)], "x")
    assert 0 <= numbers.min() < numbers.max() < 1
    assert np.histogram(numbers, bins=10, range=(0, 1))[0].min() > 1_850


def test_a_house_is_drawn_from_a_real_card_of_nearly_its_age(cards: pd.DataFrame) -> None:
    wanted = houses(*[(str(number), 1950, 1) for number in range(300)])
    drawn = draw_houses(wanted, cards)
    donors = usable_donors(cards)
    of_1950 = donors[donors["year"] == 1950]
    real = set(map(tuple, of_1950[["style", "grade", "living", "good"]].to_numpy()))
    assert set(map(tuple, drawn[["style", "grade", "living", "good"]].to_numpy())) <= real
    assert len(set(drawn["living"])) > 100


@pytest.mark.parametrize("year", [1700, 2019])
def test_a_house_older_or_newer_than_any_card_is_drawn_from_the_nearest(
    cards: pd.DataFrame, year: int
) -> None:
    donors = usable_donors(cards)
    nearest = donors.iloc[:60] if year == 1700 else donors.iloc[-60:]
    drawn = draw_houses(houses(*[(str(number), year, 1) for number in range(50)]), cards)
    assert set(drawn["living"]) <= set(nearest["living"])


def test_a_house_of_two_dwellings_has_the_rooms_of_two_cards(cards: pd.DataFrame) -> None:
    single = draw_houses(houses(("a", 1920, 1), ("b", 1920, 1)), cards)
    double = draw_houses(houses(("a", 1920, 2), ("b", 1920, 1)), cards)
    assert double.loc[0, "living"] >= single.loc[0, "living"] + 400
    assert double.loc[0, "grade"] == single.loc[0, "grade"]
    assert double.loc[1, "living"] == single.loc[1, "living"]


def test_a_house_keeps_its_card_when_other_houses_come_and_go(cards: pd.DataFrame) -> None:
    alone = draw_houses(houses(("a", 1930, 1)), cards)
    among = draw_houses(houses(("z", 1800, 3), ("a", 1930, 1)), cards)
    assert alone.loc[0].to_dict() == among.loc[1].to_dict()


def test_the_same_property_always_gets_the_same_owner() -> None:
    assert invent_owners(["62|1"], is_company=[False]) == invent_owners(["62|1"], is_company=[False])
    (company,) = invent_owners(["62|1"], is_company=[True])
    assert company.name.endswith(" LLC")
    assert company.co_name == ""


@pytest.mark.parametrize(
    ("text", "state_class", "detail_code", "exempt_code", "dwellings"),
    [
        ("Single Fam M01", "100", "13", "", 1),
        ("Three Fam M01", "100", "13", "", 3),
        ("STORE/SHOP M96", "200", "22", "", 0),
        ("APT Over 8", "200", "23", "", 0),
        ("IND WHSES M96", "300", "32", "", 0),
        ("CHURCH  M96", "200", "22", "HAAX", 0),
        ("CLRGY HSE", "100", "13", "JAAX", 1),
        ("TILLABLE D  MDL-96", "600", "61", "", 0),
    ],
)
def test_a_land_use_text_is_read_in_the_state_s_terms(
    text: str, state_class: str, detail_code: str, exempt_code: str, dwellings: int
) -> None:
    use = read_use(text)
    assert (use.state_class, use.detail_code, use.exempt_code, use.dwellings) == (
        state_class,
        detail_code,
        exempt_code,
        dwellings,
    )
