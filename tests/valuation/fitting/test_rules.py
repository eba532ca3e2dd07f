"""Fits are judged on later sales, which reach no fit; the worked specs beat the naive floors on real sales."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessment.demo import files
from tests.valuation.cost.test_calibration import market
from valuation.fitting.new_haven import joined_sales
from valuation.fitting.rules import FitError, fit, split_by_day
from valuation.fitting.spec import FitSpec, Sales, read_spec, sales_of
from valuation.frames.rules import FeatureRefused
from valuation.tables import read_table

SPECS = Path(__file__).parents[3] / "docs" / "specs"
SPEC = FitSpec("made", "price", "date", "%Y", facts={}, holdout_share=0.2, market={"trees": 60})


def made(n: int = 400) -> Sales:
    frame, prices, days = market(n, noise=0.1)
    order = np.argsort(days, kind="stable")
    return Sales(frame.iloc[order].reset_index(drop=True), prices[order], days[order], np.full(n, np.nan), {})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # slow only on a busy machine
@given(st.lists(st.integers(700_000, 700_060), min_size=5, max_size=200).filter(lambda d: len(set(d)) > 1),
       st.floats(0.05, 0.6))  # fmt: skip
def test_every_held_out_sale_is_later_than_every_other_and_no_day_is_on_both_sides(days, share) -> None:
    held, first = split_by_day(np.array(days), share)
    kept = np.array(days)[~held]
    assert held.any()
    assert len(kept)
    assert kept.max() < first <= np.array(days)[held].min()


def test_sales_of_one_day_cannot_be_split() -> None:
    with pytest.raises(FitError) as caught:
        split_by_day(np.array([7, 7, 7]), 0.1)
    assert caught.value.code == "one_day"


def test_what_the_held_out_sales_fetched_changes_no_value_and_no_table() -> None:
    sales = made()
    report = fit(sales, SPEC, resamples=20)
    held, _ = split_by_day(sales.sold_on, SPEC.holdout_share)
    changed = dataclasses.replace(sales, prices=np.where(held, sales.prices * 3, sales.prices))
    other = fit(changed, SPEC, resamples=20)
    assert other.schedule == report.schedule
    for name, judged in report.judged.items():
        assert np.array_equal(other.judged[name].values, judged.values), name


def test_facts_of_a_held_out_sale_change_its_own_value_only() -> None:
    sales = made()
    report = fit(sales, SPEC, resamples=20)
    frame = sales.frame.copy()
    frame.loc[len(frame) - 1, "living_sqft"] *= 2
    other = fit(dataclasses.replace(sales, frame=frame), SPEC, resamples=20)
    for name in ("cost", "hedonic", "boosted"):
        before, after = report.judged[name].values, other.judged[name].values
        assert np.array_equal(before[:-1], after[:-1])
        assert after[-1] != before[-1]


@pytest.fixture(scope="module")
def new_haven_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sales") / "new_haven.csv"
    joined_sales().to_csv(path, index=False)
    return path


def test_504_new_haven_sales_join_their_cards_and_480_carry_no_non_use_code(new_haven_csv: Path) -> None:
    table = read_table(new_haven_csv)
    assert len(table) == 504
    assert (table["Non Use Code"] == "").sum() == 480


@pytest.mark.slow
@pytest.mark.parametrize("name", ["king_county", "lebanon_nh", "new_haven"])
def test_cost_and_hedonic_beat_both_naive_floors_by_more_than_the_intervals(
    name: str, new_haven_csv: Path
) -> None:
    path = {
        "king_county": files.stored("king_county_sales.csv"),
        "lebanon_nh": files.stored("lebanon_nh_vision_export.csv"),
        "new_haven": new_haven_csv,
    }[name]
    spec = read_spec(SPECS / f"{name}.toml")
    report = fit(sales_of(read_table(path), spec), spec, resamples=200, market_models=("hedonic",))
    for model in ("cost", "hedonic"):
        for baseline in ("fixed_value", "value_per_area"):
            assert report.beats(model, baseline), f"{model} does not beat {baseline}"
    most = {"king_county": 15.0, "lebanon_nh": 16.0, "new_haven": 22.0}[name]
    cod = report.judged["cost"].study["cod"].value
    assert cod is not None
    assert cod < most


def test_no_worked_spec_learns_from_a_value_on_the_cards() -> None:
    assert {path.stem for path in SPECS.glob("*.toml")} >= {
        "king_county",
        "lucas_county",
        "lebanon_nh",
        "new_haven",
    }
    for path in SPECS.glob("*.toml"):
        text = path.read_text()
        spec = read_spec(path)
        for column in filter(None, (spec.cards_value, spec.price, "prc ttl assess lnd", "Assessed Value")):
            with pytest.raises(FeatureRefused):
                dataclasses.replace(spec, facts={**spec.facts, "porch_sqft": column})
            with pytest.raises(FeatureRefused):
                dataclasses.replace(spec, facts={**spec.facts, "porch_sqft": {"columns": ["x", column]}})
        assert "s1993 =" not in text


def _command(path: Path, spec: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("fit_model", str(path), "--spec", str(spec), *options, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_promised_json_and_writes_predictions(
    new_haven_csv: Path, tmp_path: Path
) -> None:
    predictions, schedule = tmp_path / "held.csv", tmp_path / "schedule.json"
    found = json.loads(
        _command(
            new_haven_csv, SPECS / "new_haven.toml", "--json", "--resamples", "20",
            "--predictions", str(predictions), "--schedule", str(schedule),
        )
    )  # fmt: skip
    assert {"n", "median_ratio", "cod", "prd", "prb", "mki", "mape", "r2"} <= set(found["holdout"])
    assert set(found["compared"]) == {"fixed_value", "value_per_area", "cards", "cost", "hedonic", "boosted"}
    held = read_table(predictions)
    assert len(held) == found["holdout"]["n"]
    assert json.loads(schedule.read_text())["base_rate"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("living = ", "livink = "), "not a known name"),
        (('"living"', '"no_such"'), "no column 'no_such'"),
        (('baths = "baths"', 'baths = "Assessed Value"'), "never a feature"),
        (('price = "Sale Amount"', ""), "no 'price'"),
        (("[sales]", "[sales"), "no TOML"),
    ],
)
def test_a_bad_spec_is_refused_in_one_line(new_haven_csv: Path, tmp_path: Path, change, message: str) -> None:
    spec = tmp_path / "spec.toml"
    text = (
        (SPECS / "new_haven.toml")
        .read_text()
        .replace("living_sqft = ", "living = " if "k = " in change[1] else "living_sqft = ")
    )
    spec.write_text(text.replace(*change))
    with pytest.raises(CommandError, match=message) as caught:
        _command(new_haven_csv, spec)
    assert "\n" not in str(caught.value)
