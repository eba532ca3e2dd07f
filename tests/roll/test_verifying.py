import hashlib
import json
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from assessment.region.errors import Invalid
from assessment.region.scope import scope
from assessment.roll.rules.chain import ChainReport, Header, next_link, root_of, row_hash
from assessment.roll.selectors import CONTENT_COLUMNS, get_certification
from assessment.roll.services.keys import key_path
from assessment.roll.services.signing import copy_path
from assessment.roll.services.verifying import Paper, paper_from_file, paper_from_root, verify_grand_list
from tests.roll.conftest import CommittedOffice

HEADER = Header(62, 2024, "real")


def verified(committed: CommittedOffice, paper: Paper | None = None) -> ChainReport:
    with scope(committed.office.assessor, towns=[62]):
        return verify_grand_list(committed.grand_list, actor=committed.office.assessor, paper=paper)


def as_superuser(committed: CommittedOffice, *statements: str) -> None:
    """Run statements as the superuser, triggers off: whom nothing in the database stops."""
    with psycopg.connect(committed.database.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


def recompute_the_chain(committed: CommittedOffice) -> str:
    """Do what a thorough forger with the superuser's rights would: new hashes, links, root and totals."""
    with psycopg.connect(committed.database.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        names = ", ".join(CONTENT_COLUMNS)
        rows = connection.execute(f"SELECT id, {names} FROM assessment_snapshotrow ORDER BY seq").fetchall()
        link, totals = HEADER.link(), dict.fromkeys(("accounts", "gross", "exempt", "net"), 0)
        for key, *values in rows:
            content = dict(zip(CONTENT_COLUMNS, values, strict=True))
            content["property_id"] = str(content["property_id"])
            hashed = row_hash(content)
            link = next_link(link, hashed)
            totals["accounts"] += 1
            for name in ("gross", "exempt", "net"):
                totals[name] += content[name]
            connection.execute(
                "UPDATE assessment_snapshotrow SET row_hash = %s, link = %s WHERE id = %s",
                [hashed, link, key],
            )
        root = root_of(link, totals)
        connection.execute(
            "UPDATE assessment_certification SET root = %s, accounts = %s, gross = %s, exempt = %s, net = %s, "
            "statement = (statement::jsonb || jsonb_build_object('root', %s::text))::text",
            [root, *totals.values(), root],
        )
    return root


def test_a_list_as_signed_is_intact(committed: CommittedOffice):
    report = verified(committed)
    assert report.intact
    assert report.totals["accounts"] == 40


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("owner = overlay(owner placing 'X' from 1 for 1)", "not what was hashed"),
        ("confidential = NOT confidential", "not what was hashed"),
        ("lines = jsonb_set(lines, '{0,4}', '1')", "gross is"),
        ("gross = gross - 1, net = net - 1", "gross is"),
        ("row_hash = set_byte(row_hash, 0, get_byte(row_hash, 0) # 1)", "not what was hashed"),
        ("link = set_byte(link, 31, get_byte(link, 31) # 1)", "does not follow"),
    ],
)
def test_one_byte_changed_by_a_superuser_is_found_and_named(
    committed: CommittedOffice, change: str, what: str
):
    as_superuser(committed, f"UPDATE assessment_snapshotrow SET {change} WHERE seq = 17")
    report = verified(committed)
    assert not report.intact
    assert report.breaks[0].where == "row 17, list number 2024-1-0000017"
    assert what in report.breaks[0].what


def test_a_row_deleted_by_a_superuser_is_missed(committed: CommittedOffice):
    as_superuser(committed, "DELETE FROM assessment_snapshotrow WHERE seq = 20")
    report = verified(committed)
    assert report.breaks[0].where.startswith("row 21,")
    assert any(item.where == "total of accounts" for item in report.breaks)


def test_a_whole_chain_recomputed_by_a_superuser_fails_against_the_root_outside(committed: CommittedOffice):
    printed = get_root(committed)
    as_superuser(committed, "UPDATE assessment_snapshotrow SET owner = 'A friend' WHERE seq = 17")
    forged = recompute_the_chain(committed)
    report = verified(committed)
    assert report.root == forged != printed
    assert any(
        "the certification kept outside the database" in item.what and printed in item.what
        for item in report.breaks
    )
    assert any("signature" in item.what for item in report.breaks)
    assert not verified(committed, paper_from_root(printed)).intact


def test_a_forger_cannot_sign_with_the_towns_key_without_its_file(committed: CommittedOffice):
    recompute_the_chain(committed)
    kept = copy_path(HEADER)
    content = json.loads(kept.read_text())
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    own = Ed25519PrivateKey.generate()
    content["signature"] = own.sign(content["statement"].encode()).hex()
    content["public_key"] = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    kept.write_text(json.dumps(content))
    assert any("not the town's" in item.what for item in verified(committed).breaks)


def test_without_a_certification_from_outside_nothing_is_vouched_for(committed: CommittedOffice):
    copy_path(HEADER).unlink()
    report = verified(committed)
    assert [item.what for item in report.breaks] == ["it is not there: give --root or --certification"]
    assert verified(committed, paper_from_root(get_root(committed))).intact


def test_a_root_is_taken_as_it_stands_on_the_page(committed: CommittedOffice):
    root = get_root(committed).upper()
    assert verified(committed, paper_from_root(" ".join([root[:8], root[8:40], root[40:]]))).intact
    with pytest.raises(Invalid, match="64"):
        paper_from_root("abc")


def test_a_file_that_is_no_certification_is_refused_in_one_line(tmp_path: Path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]")
    with pytest.raises(Invalid, match="no certification"):
        paper_from_file(wrong)
    with pytest.raises(Invalid, match="No such file"):
        paper_from_file(tmp_path / "missing.json")


def test_the_signature_can_be_checked_with_nothing_but_the_file(committed: CommittedOffice):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    kept = json.loads(copy_path(HEADER).read_text())
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(kept["public_key"]))
    key.verify(bytes.fromhex(kept["signature"]), kept["statement"].encode())
    assert json.loads(kept["statement"])["root"] == kept["root"]
    assert hashlib.sha256(key_path(62).read_bytes()).hexdigest()


def test_the_command_ends_with_an_error_that_says_where(committed: CommittedOffice, capsys):
    call_command("verify_grand_list", "--town", "hamden", "--year", "2024")
    assert "is as it was signed: 40 accounts" in capsys.readouterr().out
    as_superuser(committed, "UPDATE assessment_snapshotrow SET location = location || '.' WHERE seq = 5")
    with pytest.raises(CommandError, match="row 5, list number 2024-1-0000005"):
        call_command("verify_grand_list", "--town", "hamden", "--year", "2024")


def get_root(committed: CommittedOffice) -> str:
    with scope(committed.office.assessor, towns=[62]):
        return get_certification(committed.grand_list).root
