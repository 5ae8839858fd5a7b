"""A receipt can be checked by anybody, by hand, and a changed one is found."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatepost.cli import main
from gatepost.erasure import receipts
from gatepost.errors import BadInput
from gatepost.vault.signing import canonical, public_key, sign

pytestmark = pytest.mark.django_db  # for the keystore

SAID = {
    "format": "gatepost-receipt-1", "erased": "mailbox", "subject": "m1", "rows": {"replies": 3, "messages": 5},
    "finished_at": "2027-01-11T09:00:00Z", "installation": "https://gatepost.example.com", "not_erased": ["ä “b”"],
}  # fmt: skip


def a_receipt() -> dict[str, object]:
    return {
        "receipt": SAID,
        "signature": sign(SAID, purpose="receipts"),
        "public_key": public_key("receipts"),
    }


def test_a_genuine_one_is_believed() -> None:
    checked = receipts.check(json.dumps(a_receipt()), public=public_key("receipts"))
    assert checked.is_signed and checked.is_ours and checked.said == SAID


@pytest.mark.parametrize(
    "change", [{"subject": "m2"}, {"rows": {"replies": 3, "messages": 6}}, {"more": "x"}]
)
def test_one_that_was_changed_is_not(change: dict[str, object]) -> None:
    changed = {**a_receipt(), "receipt": {**SAID, **change}}
    checked = receipts.check(json.dumps(changed), public=public_key("receipts"))
    assert not checked.is_signed and not checked.is_ours


def test_one_that_somebody_else_signed_is_known_as_such() -> None:
    theirs = {**a_receipt(), "signature": sign(SAID, purpose="other"), "public_key": public_key("other")}
    checked = receipts.check(json.dumps(theirs), public=public_key("receipts"))
    assert checked.is_signed and not checked.is_ours


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "{}", '{"receipt": {}, "signature": "", "public_key": ""}']
)
def test_what_is_no_receipt_is_called_so(text: str) -> None:
    with pytest.raises(BadInput, match="no receipt"):
        receipts.check(text, public=public_key("receipts"))


def test_a_signature_that_is_no_base64_is_no_signature() -> None:
    odd = {**a_receipt(), "signature": "ä!", "public_key": "-----BEGIN PUBLIC KEY-----"}
    assert not receipts.check(json.dumps(odd), public=public_key("receipts")).is_signed


def test_the_key_of_the_installation_stays_the_same() -> None:
    assert public_key("receipts") == public_key("receipts") != public_key("other")


def test_the_canonical_form_has_its_names_in_order_and_no_white_space() -> None:
    assert canonical({"b": [1, "ä"], "a": {"d": "", "c": 2}}) == '{"a":{"c":2,"d":""},"b":[1,"ä"]}'.encode()


@pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("jq")), reason="openssl and jq are not here"
)
def test_it_can_be_checked_by_hand_as_the_page_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/erase.md").read_text()
    commands = page.partition("```sh\n")[2].partition("```")[0]
    assert "openssl" in commands
    (tmp_path / "receipt.json").write_text(json.dumps(a_receipt(), indent=2, ensure_ascii=False))
    done = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in done.stdout, done.stderr
    changed = (tmp_path / "receipt.json").read_text().replace('"m1"', '"m2"')
    (tmp_path / "receipt.json").write_text(changed)
    done = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" not in done.stdout


def test_the_command_checks_with_a_key_and_without_any_installation(tmp_path: Path) -> None:
    for name, text in (("receipt.json", json.dumps(a_receipt())), ("key.pem", public_key("receipts"))):
        (tmp_path / name).write_text(text)
    (tmp_path / "other.pem").write_text(public_key("other"))

    def verify(key: str) -> tuple[int, str]:
        ran = CliRunner().invoke(
            main, ["verify", "receipt", str(tmp_path / "receipt.json"), "--key", str(tmp_path / key)]
        )
        return ran.exit_code, ran.output

    code, said = verify("key.pem")
    assert code == 0 and said.startswith("Genuine: mailbox m1")
    code, said = verify("other.pem")
    assert code == 1 and "another key" in said
