import hashlib
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from assessment.roll.rules.accounts import SignedAccount, SignedExemption, SignedLine, content_of
from assessment.roll.rules.chain import (
    CHECKPOINT_EVERY,
    Attested,
    Chain,
    Header,
    StoredRow,
    canonical,
    verify,
)

HEADER = Header(62, 2025, "real")


def account(seq: int, assessed: int = 70_000, exempt: int = 3_000) -> SignedAccount:
    return SignedAccount(
        seq=seq,
        list_number=f"2025-1-{seq:07d}",
        property_id=f"00000000-0000-7000-8000-{seq:012d}",
        account=str(1000 + seq),
        owner=f"Ünal {seq}",
        co_owner="",
        mailing_address="1 Main St",
        location=f"{seq} Elm St",
        confidential=False,
        exempt_code="",
        lines=(SignedLine("11", "0.25", "acre", 40_000, 28_000), SignedLine("13", "", "", 60_000, assessed)),
        exemptions=(SignedExemption("VETERAN", exempt, "12-81(19)"),),
    )


def signed(number: int, header: Header = HEADER, change=lambda content: content):
    chain = Chain(header)
    rows = []
    for seq in range(1, number + 1):
        content = change(content_of(account(seq)))
        rows.append(StoredRow(content, *chain.add(content)))
    return rows, Attested("the certification", chain.root, dict(chain.totals), tuple(chain.checkpoints))


def test_a_list_as_signed_is_intact():
    rows, paper = signed(30)
    report = verify(HEADER, rows, [paper])
    assert report.intact
    assert report.totals == {"accounts": 30, "gross": 30 * 98_000, "exempt": 90_000, "net": 30 * 95_000}


def test_the_canonical_form_is_plain_json_that_anybody_can_hash():
    rows, _ = signed(1)
    text = json.dumps(rows[0].content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).digest() == rows[0].hashed
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'.encode()


def test_a_changed_amount_is_found_in_its_row():
    rows, paper = signed(30)
    forged = dict(rows[16].content) | {"net": 94_999}
    rows[16] = replace(rows[16], content=forged)
    report = verify(HEADER, rows, [paper])
    assert report.breaks[0].where == "row 17, list number 2025-1-0000017"
    assert "net is 94,999, its parts give 95,000" in report.breaks[0].what


def test_a_row_taken_out_is_found_where_it_stood():
    rows, paper = signed(30)
    del rows[9]
    report = verify(HEADER, rows, [paper])
    assert report.breaks[0].where.startswith("row 11,")
    assert "row 10 expected" in report.breaks[0].what


def test_rows_taken_off_the_end_are_found_by_the_totals():
    rows, paper = signed(30)
    report = verify(HEADER, rows[:-1], [paper])
    assert any(item.where == "total of accounts" for item in report.breaks)


def test_a_chain_recomputed_as_a_whole_fails_against_the_root_outside_and_says_between_which_rows():
    number = CHECKPOINT_EVERY * 3 + 10
    _, paper = signed(number)

    def forge(content):
        return content | {"owner": "Somebody else"} if content["seq"] == CHECKPOINT_EVERY + 7 else content

    forged, own = signed(number, change=forge)
    assert verify(HEADER, forged, [own]).intact
    report = verify(HEADER, forged, [paper])
    assert [item.where for item in report.breaks] == [
        f"rows {CHECKPOINT_EVERY + 1} to {CHECKPOINT_EVERY * 2}, or before"
    ]


def test_a_list_cannot_be_passed_off_as_another_years():
    rows, paper = signed(3)
    assert not verify(Header(62, 2024, "real"), rows, [paper]).intact


def test_a_hash_of_which_one_bit_was_flipped_is_found():
    rows, paper = signed(5)
    rows[2] = replace(rows[2], hashed=bytes([rows[2].hashed[0] ^ 1]) + rows[2].hashed[1:])
    assert verify(HEADER, rows, [paper]).breaks[0].where.startswith("row 3,")


@given(
    place=st.integers(0, 19),
    name=st.sampled_from(["owner", "location", "account", "list_number", "mailing_address", "exempt_code"]),
    text=st.text(max_size=5),
)
def test_any_change_of_any_text_changes_the_root(place, name, text):
    rows, paper = signed(20)
    if rows[place].content[name] == text:
        return
    rows[place] = replace(rows[place], content=dict(rows[place].content) | {name: text})
    report = verify(HEADER, rows, [paper])
    assert report.root != paper.root
    assert report.breaks[0].where.startswith(f"row {place + 1},")
