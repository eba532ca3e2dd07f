"""The same push sixteen times at once over real HTTP, a thousand rounds: equal answers, one effect each.

    python -m tests.bench.bench_identical [ROUNDS]      1,000 rounds

The status is 1 when any round's answers differ, or when anything was done twice or not at all.
"""

from __future__ import annotations

import sys
import time

from tests.bench.serving import fresh_product, server

HOUSES = 50


def main(rounds: int) -> int:
    """Send the rounds, and print what came of them."""
    with fresh_product() as folder, server() as (address, _):
        from assessment.property.models import Building
        from assessment.region.scope import scope
        from tests.bench.field import make_tablet, make_town
        from tests.cast import SYSTEM, TOWN_A
        from tests.fieldsync.push.identical import AT_ONCE, count_effects, judge, send_rounds

        make_town(HOUSES)
        with scope(SYSTEM, towns=[TOWN_A]):
            houses = list(Building.objects.order_by("id").values_list("property_id", "id"))
        tablet = make_tablet(folder / "tablet", address)
        began = time.monotonic()
        wrong = []
        for number, answers in enumerate(send_rounds(tablet, houses, rounds)):
            if said := judge(answers):
                wrong.append(f"round {number}: {said}")
        spent = time.monotonic() - began
        effects = count_effects(houses)
        tablet.close()
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    once = set(effects.values()) == {rounds}
    print(
        f"{rounds:,} rounds of {AT_ONCE} identical pushes in {spent:.0f} s: {rounds - len(wrong):,} with {AT_ONCE}"
        f" equal answers; {effects}"
    )
    return 0 if once and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
