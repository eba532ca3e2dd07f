"""A change of tables shows its effect before it is accepted, and then is a version that binds nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from tests.cast import SYSTEM
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import HOUSES, YEAR, Bureau
from valuation.runs.models import Conclusion, Run
from valuation.runs.services import run_valuation
from valuation.schedules.counting import count_effect
from valuation.schedules.errors import ChangeDecided, TablesRefused
from valuation.schedules.models import TableChange
from valuation.schedules.services import decide_tables, propose_tables, read_tables, write_tables
from valuation.specs.models import SpecAdoption

pytestmark = pytest.mark.django_db


def higher(run: Run) -> list[tuple[str, str, float]]:
    rates = run.tables["schedule"]["base_rate"]
    return [("base_rate", level, 2 * rate if level == "Ranch" else rate) for level, rate in rates.items()]


def test_the_effect_is_that_of_a_run_at_the_new_tables(bureau: Bureau) -> None:
    run = bureau.run()
    change = propose_tables(run, actor=bureau.assessor, reason="ranches sell higher", rows=higher(run))
    effect = count_effect(change, actor=bureau.assessor).effect
    assert change.changed == [["Base rates, $ a square foot", "Ranch", "120", "240"]]
    assert effect["properties"] == HOUSES
    assert 0 < effect["changed"] < HOUSES
    assert effect["before"] == run.counts["appraised_dollars"]
    assert effect["after"] > effect["before"]
    study = effect["studies"][0]
    assert study["after"]["median"] > study["before"]["median"]
    assert study["after"]["cod"] > study["before"]["cod"]
    assert Run.objects.count() == 1
    decided = decide_tables(change, actor=bureau.assessor, accept=True)
    assert decided.spec is not None
    assert decided.spec.schedule["base_rate"]["Ranch"] == 240
    assert decided.spec.evidence["effect"]["changed"] == effect["changed"]
    assert not SpecAdoption.objects.exists()
    again = run_valuation(bureau.town, year=YEAR, spec=decided.spec, actor=bureau.assessor)
    assert again.tables["schedule"]["base_rate"]["Ranch"] == 240


def test_a_change_is_decided_once_and_needs_a_reason_and_the_permission(bureau: Bureau) -> None:
    run, cast = bureau.run(), bureau.cast
    with pytest.raises(TablesRefused):
        propose_tables(run, actor=bureau.assessor, reason=" ", rows=higher(run))
    with pytest.raises(TablesRefused, match="valued at"):
        propose_tables(run, actor=bureau.assessor, reason="none")
    with pytest.raises(TablesRefused, match="-5"):
        propose_tables(run, actor=bureau.assessor, reason="wrong", rows=[("base_rate", "Ranch", -5.0)])
    with pytest.raises(Forbidden):
        propose_tables(run, actor=cast.actor(cast.deputy_a), reason="no", rows=higher(run))
    change = propose_tables(run, actor=bureau.assessor, reason="yes", rows=higher(run))
    assert decide_tables(change, actor=bureau.assessor, accept=False).spec is None
    with pytest.raises(ChangeDecided):
        decide_tables(change, actor=bureau.assessor, accept=True)
    with scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        assert not TableChange.objects.exists()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".json"])
def test_tables_survive_a_trip_through_a_file(bureau: Bureau, tmp_path: Path, suffix: str) -> None:
    before = bureau.run().tables["schedule"]
    path = tmp_path / f"tables{suffix}"
    write_tables(before, path)
    assert read_tables(path, before) == before
    path.write_bytes(b"\xff\xfe nothing")
    with pytest.raises(TablesRefused):
        read_tables(path, before)


def test_the_pages_edit_show_and_accept_and_another_town_sees_none(
    bureau: Bureau, signed_in: SignedIn
) -> None:
    run, cast = bureau.run(), bureau.cast
    base = f"/t/{bureau.town.slug}/cost-tables/"
    client = signed_in(cast.assessor_a.email)
    assert "Base rates" in client.get(base).content.decode()
    assert client.get(f"{base}tables.csv").content.decode().startswith("table,level,amount\n")
    assert client.get(f"{base}edit?table=base_rate").status_code == 200
    assert client.get(f"{base}edit?table=castle").status_code == 404
    rows = higher(run)
    body = {
        "table": "base_rate", "reason": "a study", "level": [row[1] for row in rows], "amount": [str(row[2]) for row in rows],
    }  # fmt: skip
    shown = client.post(f"{base}edit", body, follow=True).content.decode()
    assert "Properties that change" in shown
    assert "a study" in shown
    with scope(SYSTEM, towns=[bureau.town.code]):
        change = TableChange.objects.get()
    done = client.post(f"{base}{change.pk}/decide", {"decision": "accept"}, follow=True).content.decode()
    assert "binds nothing until the assessor adopts it" in done
    file = SimpleUploadedFile("t.csv", b"table,level,amount\nprimary_sqft,,20000\n")
    assert (
        "20,000"
        in client.post(f"{base}edit", {"file": file, "reason": "zoning"}, follow=True).content.decode()
    )
    wrong = SimpleUploadedFile("t.exe", b"MZ")
    assert (
        "CSV, JSON or XLSX"
        in client.post(f"{base}edit", {"file": wrong, "reason": "x"}, follow=True).content.decode()
    )
    clerk = signed_in(cast.clerk_a.email)
    assert clerk.get(base).status_code == 200
    assert clerk.post(f"{base}edit", body).status_code == 403
    assert signed_in(cast.assessor_b.email).get(f"{base}{change.pk}/").status_code == 404


def test_the_command_writes_and_proposes(bureau: Bureau, tmp_path: Path, capsys) -> None:
    bureau.run()
    path = tmp_path / "tables.csv"
    call_command("cost_tables", town=bureau.town.slug, out=path)
    path.write_text("table,level,amount\nprimary_sqft,,20000\n", encoding="utf-8")
    capsys.readouterr()
    call_command("cost_tables", town=bureau.town.slug, source=path, reason="zoning", accept=True, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "accepted"
    assert told["spec"].endswith("v1")
    # The land is cut elsewhere, and each part rounds for itself.
    assert abs(told["before"] - told["after"]) < 100 * HOUSES
    with pytest.raises(CommandError, match="either"):
        call_command("cost_tables", town=bureau.town.slug)


def test_obsolescence_on_a_card_lowers_the_building_and_its_explanation_sums(bureau: Bureau) -> None:
    from assessment.property.models import Building, LandLine

    house = bureau.houses[7]
    before = Conclusion.objects.get(run=bureau.run(), property=house)
    Building.objects.filter(property=house).update(functional_obsolescence_percent=50)
    LandLine.objects.filter(property=house).update(site_index=2)
    after = Conclusion.objects.get(run=bureau.run(), property=house)
    buildings = [next(line[1] for line in row.components if line[0] == "13") for row in (before, after)]
    assert buildings[1] == pytest.approx(buildings[0] / 2, rel=0.05)
    assert after.value == sum(line[1] for line in after.components)
