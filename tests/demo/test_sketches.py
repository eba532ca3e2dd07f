import pytest

from assessment.demo.rules.sketches import House, areas_of, sketch_houses
from assessment.property.rules.sketch import SectionFactors, check_polygon

FACTORS = {
    label: SectionFactors(living, effective)
    for label, living, effective in (
        ("BAS", 1, 1), ("FUS", 1, 1), ("FHS", 0.5, 0.5), ("UBM", 0, 0.2), ("FBM", 0, 0.3), ("FGR", 0, 0.35),
        ("FOP", 0, 0.2), ("WDK", 0, 0.1),
    )
}  # fmt: skip


def house(key: str, style: str = "Colonial", living: int = 1_800, dwellings: int = 1) -> House:
    return House(key, style, living, 1950, dwellings)


@pytest.mark.parametrize("style", ["Colonial", "Cape Cod", "Ranch", "Raised Ranch", "Row House"])
@pytest.mark.parametrize("living", [500, 1_200, 2_345, 6_000])
def test_a_sketch_has_about_the_living_area_that_it_aims_at(style: str, living: int) -> None:
    sketches = sketch_houses([house(str(number), style, living) for number in range(60)])
    for sketch in sketches:
        assert areas_of(sketch, FACTORS).living_area_sqft == pytest.approx(living, rel=0.12)


def test_every_outline_is_a_simple_polygon_with_whole_feet() -> None:
    for sketch in sketch_houses([house(str(number)) for number in range(200)]):
        for outline in sketch:
            assert check_polygon(outline.corners) == list(outline.corners)
            assert all(value.is_integer() for corner in outline.corners for value in corner)


def test_a_house_of_three_dwellings_has_three_storeys() -> None:
    (sketch,) = sketch_houses([house("a", living=3_000, dwellings=3)])
    assert [(outline.label, outline.storey) for outline in sketch][:3] == [("BAS", 1), ("FUS", 2), ("FUS", 3)]


def test_a_sketch_depends_on_its_own_key_alone() -> None:
    assert sketch_houses([house("a")])[0] == sketch_houses([house("z"), house("a")])[1]


def test_a_table_without_factors_is_refused() -> None:
    (sketch,) = sketch_houses([house("a")])
    with pytest.raises(ValueError, match="lacks factors"):
        areas_of(sketch, {})
