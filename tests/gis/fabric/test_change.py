from __future__ import annotations

import itertools

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.fabric.rules.change import compare, shape_digests, trace, words_digest
from gis.fabric.rules.kinds import Descent
from tests.gis.fabric.test_topology import layer, square


def test_ring_order_start_and_direction_are_no_change() -> None:
    one = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)])
    same = shapely.Polygon([(100, 100), (100, 0), (0, 0), (0, 100)])
    as_multi = shapely.MultiPolygon([one])
    first, second, third = shape_digests(layer(one, same, as_multi))
    assert first == second == third


def test_a_moved_corner_is_a_change_and_a_hair_is_none() -> None:
    first, hair, moved = shape_digests(layer(square(0, 0), square(0, 0, 100.0001), square(0, 0, 100.01)))
    assert first == hair != moved


def test_words_do_not_depend_on_the_order_of_columns() -> None:
    assert words_digest({"a": 1, "b": None}) == words_digest({"b": None, "a": 1})
    assert words_digest({"a": 1}) != words_digest({"a": 2})


def test_each_parcel_is_in_one_list_of_changes_at_most() -> None:
    old = {"stays": ("s", "w"), "goes": ("s", "w"), "moves": ("s", "w"), "renamed": ("s", "w")}
    new = {"stays": ("s", "w"), "comes": ("s", "w"), "moves": ("S", "W"), "renamed": ("s", "W")}
    found = compare(old, new)
    assert (found.added, found.removed, found.reshaped, found.redescribed) == (
        ("comes",),
        ("goes",),
        ("moves",),
        ("renamed",),
    )
    assert found.total == 4


digests = st.dictionaries(st.text(max_size=2), st.tuples(st.sampled_from("ab"), st.sampled_from("xy")))


@given(digests, digests)
def test_forth_and_back_swaps_added_and_removed(
    old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]
) -> None:
    forth, back = compare(old, new), compare(new, old)
    assert (forth.added, forth.removed) == (back.removed, back.added)
    assert (forth.reshaped, forth.redescribed) == (back.reshaped, back.redescribed)
    assert compare(old, old).total == 0


def test_a_split_has_one_parent_and_two_children() -> None:
    lines = trace(
        layer(square(0, 0)),
        layer(shapely.box(0, 0, 40, 100), shapely.box(40, 0, 100, 100)),
        ["1"],
        ["1A", "1B"],
    )
    assert [(line.parent, line.child, line.descent) for line in lines] == [
        (0, 0, Descent.SPLIT),
        (0, 1, Descent.SPLIT),
    ]
    assert [round(line.share_of_parent, 6) for line in lines] == [0.4, 0.6]
    assert [line.share_of_child for line in lines] == [1.0, 1.0]


def test_a_merge_has_two_parents_and_one_child() -> None:
    lines = trace(layer(square(0, 0), square(100, 0)), layer(shapely.box(0, 0, 200, 100)), ["1", "2"], ["1"])
    assert {line.descent for line in lines} == {Descent.MERGED}
    assert len(lines) == 2


def test_another_identifier_on_the_same_ground_is_a_renumbering() -> None:
    (line,) = trace(layer(square(0, 0)), layer(square(0, 0, 101)), ["1"], ["9"])
    assert line.descent is Descent.RENUMBERED


def test_a_shifted_border_is_redrawn_and_makes_no_descent_to_the_neighbour() -> None:
    old = layer(square(0, 0), square(100, 0))
    new = layer(shapely.box(0, 0, 101, 100), shapely.box(101, 0, 200, 100))
    lines = trace(old, new, ["1", "2"], ["1", "2"])
    assert [(line.parent, line.child, line.descent) for line in lines] == [
        (0, 0, Descent.REDRAWN),
        (1, 1, Descent.REDRAWN),
    ]


def test_parcels_without_common_ground_have_no_descent() -> None:
    assert trace(layer(square(0, 0)), layer(square(500, 0)), ["1"], ["2"]) == []
    assert trace(layer(), layer(square(500, 0)), [], ["2"]) == []


def test_the_shares_of_a_parcel_cut_at_random_add_up_to_it() -> None:
    rng = np.random.default_rng(7)
    cuts = np.sort(rng.uniform(10, 990, 9))
    edges = [0.0, *cuts, 1_000.0]
    pieces = layer(*(shapely.box(a, 0, b, 1_000) for a, b in itertools.pairwise(edges)))
    lines = trace(layer(square(0, 0, 1_000)), pieces, ["1"], [str(n) for n in range(10)])
    kept = sum(line.share_of_parent for line in lines)
    assert kept == np.float64(1.0) or abs(kept - 1) < 1e-9
