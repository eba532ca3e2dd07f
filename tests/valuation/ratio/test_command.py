"""``ratio_study`` works on any table without a database, and refuses in one line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

TABLE = "value;price;area\n" + "".join(
    f"{90_000 + 1_000 * i};{100_000 + 1_500 * (i % 17)};{'NS'[i % 2]}\n" for i in range(40)
)


def run(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("ratio_study", str(path), "--value", "value", "--price", "price", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(TABLE)
    return path


def test_json_has_each_statistic_with_its_interval_and_the_strata(table: Path) -> None:
    found = json.loads(run(table, "--by", "area", "--json", "--resamples", "50"))
    assert found["n"] == 40
    assert found["cod"]["low"] < found["cod"]["value"] < found["cod"]["high"]
    assert {part["stratum"]: part["n"] for part in found["strata"]} == {"N": 20, "S": 20}


def test_a_rule_set_is_judged_and_says_which_rules_decide(table: Path) -> None:
    found = json.loads(run(table, "--rules", "CT-62i-2001", "--by", "area", "--json", "--resamples", "0"))
    level = next(rule for rule in found["rules"] if rule["id"] == "overall_level")
    assert (level["is_met"], level["is_verified"]) == (True, True)
    assert {rule["stratum"] for rule in found["rules"] if rule["id"] == "neighbourhood_level"} == {"N", "S"}
    low = run(table, "--rules", "CT-62i-2001", "--level", "0.7", "--resamples", "0")
    assert "Overall median ratio within 10 % of the level, all (n 40): 1.432 NOT MET\n" in low
    assert "decides nothing" in low


def test_weights_come_from_a_column(table: Path) -> None:
    lines = TABLE.splitlines()
    weighted = [lines[0] + ";w", *(f"{line};{1 if n % 2 else 5}" for n, line in enumerate(lines[1:]))]
    table.write_text("\n".join(weighted))
    plain = json.loads(run(table, "--json", "--resamples", "0"))
    heavy = json.loads(run(table, "--weight", "w", "--json", "--resamples", "0"))
    assert heavy["mean"]["value"] != plain["mean"]["value"]
    with pytest.raises(CommandError, match="leave out --by"):
        run(table, "--weight", "w", "--by", "area")


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8-sig", ","), ("cp1252", ";"), ("utf-8", "\t")])
def test_encodings_and_separators_give_one_answer(table: Path, encoding: str, separator: str) -> None:
    plain = run(table, "--json", "--resamples", "20")
    table.write_bytes(TABLE.replace("N", "Né").replace(";", separator).encode(encoding))
    assert json.loads(run(table, "--json", "--resamples", "20")) == json.loads(plain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("price", "cost"), "no column 'price'; the file has: value, cost, area"),
        (lambda text: text.replace("90000;", "n/a;"), "1 of 40 rows have no positive value and price"),
        (lambda text: text.splitlines()[0], "header and no rows"),
        (lambda text: "", "is empty"),
    ],
)
def test_bad_tables_are_refused_in_one_line(table: Path, change, message: str) -> None:
    table.write_text(change(TABLE))
    with pytest.raises(CommandError, match=message) as caught:
        run(table)
    assert "\n" not in str(caught.value)


def test_bad_rows_can_be_left_out_and_are_counted(table: Path) -> None:
    table.write_text(TABLE.replace("90000;", "n/a;"))
    found = json.loads(run(table, "--drop-bad", "--json", "--resamples", "0"))
    assert (found["n"], found["rows_left_out"]) == (39, 1)


def test_it_states_the_column_that_it_judged_and_keeps_the_options_of_runs_and_tables_apart(
    table: Path,
) -> None:
    assert run(table, "--resamples", "0").startswith("judged: column 'value'\n")
    assert json.loads(run(table, "--json", "--resamples", "0"))["judged"] == "value"
    with pytest.raises(CommandError, match="of a table --value is judged"):
        run(table, "--judge", "cost")
    with pytest.raises(CommandError, match="cannot be given together with --town"):
        run(table, "--town", "901", "--year", "2025")
    with pytest.raises(CommandError, match="give a file with --value and --price, or --town and --year"):
        call_command("ratio_study", str(table))
