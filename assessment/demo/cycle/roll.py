"""The list of the cycle: valued, signed, proven, exported, appealed, corrected, and rolled forward."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from assessment.demo.cycle.office import Office
from assessment.demo.cycle.report import Report
from assessment.demo.cycle.stage import CycleFailed, Stage


def convert(stage: Stage, report: Report, *, town: str, year: int, stated_year: int) -> None:
    """Open a town's first list from the values that its cards state, and balance it."""
    with report.step(f"{town}: list of {year} opened by conversion of the town's own values") as step:
        opened = stage.json(
            "open_grand_list", "--town", town, "--year", str(year), "--basis", "conversion",
            "--base-revaluation", f"{stated_year}-10-01", "--stated-basis", "card", "--stated-year", str(stated_year),
            "--default-class", "100",
        )  # fmt: skip
        step.note(**_figures(opened, "accounts", "components", "gross"))
    with report.step(f"{town}: balance against what the town stated") as step:
        balanced = stage.json(
            "balance",
            "--town",
            town,
            "--year",
            str(year),
            "--stated-basis",
            "card",
            "--stated-year",
            str(stated_year),
        )
        step.note(**_figures(balanced, "accounts", "matched"), differences=len(balanced["differences"]))


def revalue(stage: Stage, report: Report, *, town: str, year: int) -> None:
    """Open the list of a revaluation, value every property, and post the values."""
    with report.step(f"{town}: list of {year} opened for a revaluation") as step:
        opened = stage.json("open_grand_list", "--town", town, "--year", str(year), "--basis", "revaluation")
        step.note(**_figures(opened, "accounts"))
    with report.step(f"{town}: values that nobody has looked at are not posted") as step:
        stage.command("value", "--town", town, "--year", str(year), "--adopt", "--post", expect=1)
        step.note(refused=True)
    with report.step(f"{town}: every property valued, judged on later sales, and posted") as step:
        accepted = ("--accept", "reviewed=demonstration: nobody reviews its flags")
        valued = stage.json("value", "--town", town, "--year", str(year), "--adopt", "--post", *accepted)
        counts = valued["counts"]
        step.note(
            **_figures(counts, "properties", "fallback", "appraised_dollars", "sales_fitted", "sales_held"),
            values=valued["values_sha256"][:12],
        )
    _show_studies(report, town, valued)


def judge(stage: Stage, report: Report, *, town: str, year: int) -> None:
    """Value a town without posting anything, and show how the values stand against later sales."""
    with report.step(f"{town}: real cards valued and judged on later sales, nothing posted") as step:
        valued = stage.json("value", "--town", town, "--year", str(year))
        step.note(**_figures(valued["counts"], "properties", "fallback", "sales_fitted", "sales_held"))
    _show_studies(report, town, valued)


def _show_studies(report: Report, town: str, valued: dict[str, Any]) -> None:
    for row in valued["ratio_studies"]:
        if row["stratum_kind"] == "all" and row["trim_rule"] == "none":
            with report.step(f"{town}: {row['subject'].replace('_', ' ')} judged on later sales") as step:
                step.note(
                    n=row["n"], median=row["median"]["value"], cod=_spanned(row["cod"], 1),
                    prd=_spanned(row["prd"], 3), prb=_spanned(row["prb"], 3),
                )  # fmt: skip


def _spanned(figure: dict[str, Any], places: int) -> str:
    """Return a statistic with its interval."""
    if figure["value"] is None or figure.get("low") is None:
        return "not defined"
    low, high = figure["low"], figure["high"]
    return f"{figure['value']:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def sign(stage: Stage, report: Report, office: Office, *, town: str, year: int) -> str:
    """Sign the list over HTTP as its assessor, and verify it; returns the root."""
    listed = _list_of(office, town, year)
    with report.step(f"{town}: list of {year} signed by its assessor") as step:
        certification = office.post(f"/towns/{town}/lists/{listed['id']}/signature", expect=201)
        totals = office.get(f"/towns/{town}/lists/{listed['id']}")["totals"]
        step.note(signer=certification["signer_name"], **totals, root=certification["root"][:16] + "…")
    with report.step(
        f"{town}: chain and totals verified, also against the certification kept outside"
    ) as step:
        verified = stage.json("verify_grand_list", "--town", town, "--year", str(year))
        stage.command(
            "verify_grand_list", "--town", town, "--year", str(year), "--root", certification["root"]
        )
        stage.command("verify_grand_list", "--town", town, "--year", str(year), "--root", "0" * 64, expect=1)
        step.note(intact=bool(verified.get("intact", True)), wrong_root_refused=True)
    root: str = certification["root"]
    return root


def export(stage: Stage, report: Report, *, town: str, year: int, folder: Path) -> None:
    """Write the list's files and check that lines sum to accounts and accounts to the signed totals."""
    with report.step(f"{town}: list of {year} exported as CSV, XLSX and PDF") as step:
        stage.command(
            "export_grand_list",
            "--town",
            town,
            "--year",
            str(year),
            "--out",
            str(folder),
            "--basis",
            "signed",
        )
        files = sorted(folder.iterdir())
        step.note(files=len(files), megabytes=sum(f.stat().st_size for f in files) / 1e6)
    with report.step(f"{town}: lines sum to the accounts, accounts to the signed totals") as step:
        step.note(**check_sums(folder))


def check_sums(folder: Path) -> dict[str, int]:
    """Add up the exported files as a stranger would; raise `CycleFailed` on a dollar's difference."""
    accounts = {row["list_number"]: row for row in _rows(folder, "accounts")}
    by_account: dict[str, int] = {}
    for line in _rows(folder, "lines"):
        by_account[line["list_number"]] = by_account.get(line["list_number"], 0) + int(line["assessed"])
    wrong = [number for number, row in accounts.items() if by_account.get(number, 0) != int(row["gross"])]
    control = json.loads(next(folder.glob("*control-totals.json")).read_text())
    totals = control["totals"]
    gross, net = (sum(int(row[column]) for row in accounts.values()) for column in ("gross", "net"))
    if wrong or gross != int(totals["gross"]) or net != int(totals["net"]):
        raise CycleFailed(
            f"the exported list does not add up: {len(wrong)} accounts, gross {gross}, net {net}"
        )
    return {"accounts": len(accounts), "gross": gross, "net": net, "differences": 0}


def appeal_and_correct(
    stage: Stage, report: Report, assessor: Office, board: Office, *, town: str, year: int, folder: Path
) -> None:
    """A petition decided by the board, a certificate of correction, and the bridge to the M-13."""
    listed = _list_of(assessor, town, year)
    accounts = [
        a for a in assessor.get(f"/towns/{town}/lists/{listed['id']}/accounts", limit=50) if a["net"] > 0
    ]
    appealed, corrected = accounts[0], accounts[1]
    with report.step(f"{town}: a petition heard and granted in part by the board") as step:
        petition = assessor.post(
            f"/towns/{town}/petitions/",
            {
                "list_id": listed["id"],
                "property_id": appealed["property_id"],
                "received_on": f"{year + 1}-02-15",
                "petitioner": appealed["owner"],
                "send_to": appealed["location"],
                "claimed_value": int(appealed["gross"] * 0.8),
                "grounds": "The condition of the building was overstated.",
            },
            expect=201,
        )
        lines = [
            {
                "detail_code": line["code"],
                "appraised": int(line["appraised"] * 0.9),
                "assessed": int(line["assessed"] * 0.9),
            }
            for line in appealed["lines"]
        ]
        decided = board.post(
            f"/towns/{town}/petitions/{petition['id']}/decision",
            {
                "decided_on": f"{year + 1}-03-20",
                "explanation": "Condition lowered after inspection.",
                "lines_after": lines,
            },
            expect=201,
        )
        step.note(
            account=appealed["list_number"],
            before=appealed["gross"],
            decision=decided.get("outcome", "changed"),
        )
    with report.step(f"{town}: a certificate of correction, the signed snapshot untouched") as step:
        code = corrected["lines"][0]["code"]
        made = assessor.post(
            f"/towns/{town}/lists/{listed['id']}/accounts/{corrected['property_id']}/instruments",
            {
                "kind": "correction",
                "dated_on": f"{year + 1}-04-10",
                "explanation": "A clerical error in the land line.",
                "statute": "CGS 12-60",
                "changes": [{"section": "assessed", "code": code, "amount": -100, "appraised": -140}],
            },
            expect=201,
        )
        stage.command("verify_grand_list", "--town", town, "--year", str(year))
        step.note(number=made["number"], change=-100, still_as_signed=True)
    with report.step(f"{town}: M-13 with its bridge from as signed to after the board") as step:
        abstract = stage.json("export_m13", "--town", town, "--year", str(year), "--out", str(folder))
        for stage_of_list in abstract["stages"]:
            step.note(**{f"{stage_of_list['basis']}: net": stage_of_list["net"]})


def interim_year(stage: Stage, report: Report, office: Office, *, town: str, year: int, folder: Path) -> None:
    """Roll the list forward, refuse a change without a reason, post one with a permit, sign and export."""
    with report.step(f"{town}: interim list of {year} rolled forward") as step:
        opened = stage.json("open_grand_list", "--town", town, "--year", str(year), "--basis", "roll_forward")
        step.note(**_figures(opened, "accounts", "lines", "gross"))
    listed = _list_of(office, town, year)
    account = office.get(f"/towns/{town}/lists/{listed['id']}/accounts", limit=50)[5]
    lines = [
        {"detail_code": line["code"], "appraised": line["appraised"] + 20_000}
        for line in account["lines"][:1]
    ] + [{"detail_code": line["code"], "appraised": line["appraised"]} for line in account["lines"][1:]]
    address = f"/towns/{town}/lists/{listed['id']}/accounts/{account['property_id']}/lines"
    with report.step(f"{town}: a change without a dated reason is refused") as step:
        problem = office.put(address, {"lines": lines}, expect=422)
        step.note(code=problem["code"])
    with report.step(f"{town}: the same change with its permit is taken") as step:
        reason = {"kind": "permit", "dated_on": f"{year}-06-01", "explanation": "Deck, permit B-77"}
        changed = office.put(address, {"lines": lines, "reason": reason}, expect=200)
        step.note(before=account["gross"], after=changed["gross"])
    with report.step(
        f"{town}: valued at the base revaluation's schedules; a general posting is refused"
    ) as step:
        valued = stage.json("value", "--town", town, "--year", str(year))
        stage.command("value", "--town", town, "--year", str(year), "--adopt", "--post", expect=1)
        step.note(properties=valued["counts"]["properties"], general_posting_refused=True)
    sign(stage, report, office, town=town, year=year)
    export(stage, report, town=town, year=year, folder=folder)


def _list_of(office: Office, town: str, year: int) -> dict[str, Any]:
    lists = office.get(f"/towns/{town}/lists/")
    found: dict[str, Any] = next(item for item in lists if item["year"] == year and item["kind"] == "real")
    return found


def _rows(folder: Path, what: str) -> list[dict[str, str]]:
    path = next(folder.glob(f"*-{what}.csv"))
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _figures(document: dict[str, Any], *names: str) -> dict[str, object]:
    return {name: document[name] for name in names if name in document}
