"""Drawing the sketch of a building."""

import math

import pytest

from assessment.office.sketch import Drawing, SketchSection, draw_sketch, format_feet

HOUSE = SketchSection("1SFR", [(0, 0), (40, 0), (40, 24), (0, 24)], 960)
PORCH = SketchSection("OFP", [(10, -6), (20, -6), (20, 0), (10, 0)], 60, is_living_area=False)


def drawn(*sections: SketchSection) -> Drawing:
    drawing = draw_sketch(sections)
    assert drawing is not None
    return drawing


def test_every_wall_has_its_length_once_and_a_shared_one_of_a_small_section_none() -> None:
    lengths = sorted(text.text for text in drawn(HOUSE, PORCH).dimensions)
    assert lengths == sorted(["40", "24", "40", "24", "10", "6", "6"])


def test_a_small_section_has_its_lengths_outside() -> None:
    inside = [text for text in drawn(HOUSE, PORCH).dimensions if 10 < text.x < 20 and 0 < text.y < 6]
    assert inside == []


def test_stories_of_one_outline_are_drawn_once_with_the_top_first() -> None:
    upper = SketchSection("FUS", [(0, 0), (40, 0), (40, 24), (0, 24)], 960)
    drawing = drawn(HOUSE, upper)
    assert len(drawing.walls) == 1
    assert drawing.labels[0].text == "FUS/1SFR"
    assert len(drawing.dimensions) == 4


def test_north_is_up() -> None:
    assert drawn(HOUSE).walls[0].path == "M0.00 0.00L40.00 0.00L40.00 -24.00L0.00 -24.00Z".replace(
        "-0.00", "0.00"
    )


@pytest.mark.parametrize("corners", [HOUSE.corners, list(reversed(HOUSE.corners))])
def test_lengths_stand_inside_whichever_way_the_ring_runs(corners: list[tuple[float, float]]) -> None:
    for text in drawn(SketchSection("1SFR", corners)).dimensions:
        assert 0 < text.x < 40
        assert -24 < text.y < 0


def test_a_length_is_never_upside_down() -> None:
    ring = [(20 * math.cos(step * math.pi / 8), 20 * math.sin(step * math.pi / 8)) for step in range(16)]
    assert all(-90 <= text.rotate < 90 for text in drawn(SketchSection("TWR", ring)).dimensions)


def test_the_label_stands_inside_an_angular_section() -> None:
    ell = SketchSection("1SFR", [(0, 0), (40, 0), (40, 8), (8, 8), (8, 40), (0, 40)], 576)
    first = drawn(ell).labels[0]
    assert 0 < first.x < 40
    assert -40 < first.y < 0
    assert not (first.x > 8 and first.y < -8)


def test_a_building_without_a_polygon_has_no_drawing() -> None:
    assert draw_sketch([SketchSection("1SFR", [], 960)]) is None


def test_the_description_names_every_section_for_those_who_cannot_see_it() -> None:
    assert drawn(HOUSE, PORCH).description == "1SFR, 960 square feet; OFP, 60 square feet"


@pytest.mark.parametrize(("length", "text"), [(24.0, "24"), (7.5, "7.5"), (12.04, "12")])
def test_lengths_are_written_as_on_a_sketch(length: float, text: str) -> None:
    assert format_feet(length) == text
