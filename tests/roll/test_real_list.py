"""A real town's own values, converted and balanced: the public Vision export of Lebanon, New Hampshire."""

import datetime as dt

import pytest

from assessment.demo.files import stored
from assessment.property.imports.cards import CardImport, import_cards
from assessment.region.actors import Actor
from assessment.region.scope import scope
from assessment.region.services import create_test_town
from assessment.roll.services.balancing import balance_grand_list
from assessment.roll.services.opening import open_grand_list

OPERATOR = Actor.system("tests")


@pytest.mark.django_db
@pytest.mark.slow
def test_every_account_of_a_real_list_balances_by_component_and_by_class():
    town = create_test_town(901, actor=OPERATOR, name="Lebanon, New Hampshire", state="NH")
    import_cards(town, actor=OPERATOR, wanted=CardImport(stored("lebanon_nh_vision_export.csv"), 2023))
    with scope(OPERATOR, towns=[town.code], reason="a test"):
        report = open_grand_list(
            town, actor=OPERATOR, year=2023, basis="conversion", base_revaluation_on=dt.date(2021, 10, 1),
            default_class="100",
        )  # fmt: skip
        _, result = balance_grand_list(report.grand_list, actor=OPERATOR)
    assert (report.accounts, sum(len(accounts) for accounts in report.left_out.values())) == (5_620, 0)
    assert (result.matched, result.differences) == (5_620, ())
    # SOURCE: the sum of the file's column `prc ttl assess` over the 5,620 cards that the import takes
    assert result.ours["gross"] == result.theirs["gross"] == 4_094_411_614
    assert all(item.ours == item.theirs for item in result.classes)
