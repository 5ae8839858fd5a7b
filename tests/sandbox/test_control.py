"""Steering: the clock, people, snapshots, a world in a file, the page, https."""

import os
import re
import ssl
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from m365_sandbox import tls, world_file
from m365_sandbox.app import create_app
from m365_sandbox.store import Store

from .conftest import APP_SECRET, Mailbox, Served, Stage, until

WORLD = """
tenants:
- {domain: northwind.example, name: Northwind Studio, consent_policy: recommended-2026-07}
users:
- {address: alice@northwind.example, name: Alice Berger}
- address: carol@contoso.example
  name: Carol Diaz
  kind: prospect
mail:
- mailbox: alice@northwind.example
  from: {name: Carol Diaz, address: carol@contoso.example}
  subject: Of yesterday
  text: Good morning
  offset_seconds: -86400
- {mailbox: alice@northwind.example, from: carol@contoso.example, subject: Of tomorrow, offset_seconds: 86400}
contacts:
- {mailbox: alice@northwind.example, name: Carol Diaz, address: carol@contoso.example}
switches: {cancel: described}
faults:
- {action: "503", path: /me$, count: 1}
"""


def inbox_subjects(mailbox: Mailbox) -> list[str]:
    return [message["subject"] for message in mailbox.inbox()]


# The clock


def test_the_clock_is_real_fast_or_stepped(sandbox: Served) -> None:
    assert [sandbox.control("clock", {"rate": rate})["mode"] for rate in (1, 600, 0)] == [
        "real",
        "fast",
        "stepped",
    ]
    still = sandbox.control("clock")["product"]
    assert sandbox.control("clock")["product"] == still

    assert sandbox.control("clock", {"advance_seconds": 90})["product"] == pytest.approx(still + 90)


def test_a_stepped_clock_goes_to_what_comes_next(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("clock", {"rate": 0})
    sandbox.control("switches", {"send_seconds": 7200})
    alice.send(alice.draft("carol@contoso.example", "later"))
    assert sandbox.control("clock")["pending"] == 1

    sandbox.control("clock", {"to": "next"})
    sandbox.settle()
    assert inbox_subjects(sandbox.sign_in("carol@contoso.example")) == ["later"]


# People


def test_what_somebody_does_can_be_changed_while_the_sandbox_runs(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("people", {"address": "carol@contoso.example", "person": {"behaviour": "silent"}})
    alice.write("carol@contoso.example", "one")
    assert sandbox.control("clock")["pending"] == 0

    change = {"behaviour": "reply", "answers_message": 1, "delay_hours": 1, "office_hours": [0, 24]}
    sandbox.control("people", {"address": "carol@contoso.example", "person": change})
    alice.write("carol@contoso.example", "two")
    sandbox.advance(4 * 86400)
    [reply] = sandbox.truth(alice.address)["replies"]
    assert (reply["from"], bool(reply["label"])) == ("carol@contoso.example", True)


def test_a_person_that_cannot_be_is_refused(sandbox: Served) -> None:
    def refused(person: dict[str, Any]) -> str:
        answer = sandbox.post("/_sandbox/people", body={"address": "carol@contoso.example", "person": person})
        assert answer.status == 400
        return answer.json["error"]

    assert "dances" in refused({"behaviour": "dances"})
    assert "colleague" in refused({"behaviour": "forwards"})
    assert "mood" in refused({"mood": "good"})


# Snapshots


def test_a_snapshot_brings_back_everything_the_time_too(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("clock", {"rate": 0})
    alice.write("carol@contoso.example", "before")
    _, link = alice.delta("/me/mailFolders/sentitems/messages/delta?$select=subject")
    sandbox.control("snapshot", {"name": "before"})
    then = sandbox.control("clock")["product"]
    alice.write("carol@contoso.example", "after")
    sandbox.control("switches", {"cancel": "described"})
    sandbox.control("faults", {"action": "503"})
    sandbox.control("clock", {"advance_seconds": 86400})

    sandbox.control("restore", {"name": "before"})
    assert sandbox.control("clock")["product"] == pytest.approx(then)
    assert inbox_subjects(sandbox.sign_in("carol@contoso.example")) == ["before"]
    assert alice.delta(link)[0] == []
    assert sandbox.control("switches")["cancel"] == "bare"
    assert sandbox.control("faults")["rules"] == []
    assert sandbox.control("snapshot") == {"snapshots": ["before"]}


def test_a_snapshot_that_is_not_there_is_refused_with_those_that_are(sandbox: Served) -> None:
    sandbox.control("snapshot", {"name": "one"})

    assert sandbox.post("/_sandbox/restore", body={"name": "two"}).json == {"error": "Snapshots: one."}
    assert sandbox.post("/_sandbox/snapshot", body={"name": "../x"}).status == 400


def test_a_snapshot_lies_beside_the_file_and_outlives_the_process(tmp_path: Path) -> None:
    store = Store(tmp_path / "sandbox.db")
    create_app(world={"users": [{"address": "a@b.example"}]}, store=store)
    store.snapshot("first")
    store.clear()
    store.close()

    again = Store(tmp_path / "sandbox.db")
    assert (again.snapshots(), list(again.users.values())) == (["first"], [])
    again.restore("first")
    assert [user.address for user in again.users.values()] == ["a@b.example"]
    again.close()


def test_switches_and_faults_outlive_a_restart(tmp_path: Path, stage: Stage) -> None:
    with stage.with_app(world={"users": []}, store=Store(tmp_path / "sandbox.db")) as served:
        served.control("switches", {"cancel": "described"})
        served.control("faults", {"action": "503", "path": "/me$"})

    with stage.with_app(store=Store(tmp_path / "sandbox.db")) as served:
        assert served.control("switches")["cancel"] == "described"
        assert [rule["path"] for rule in served.control("faults")["rules"]] == ["/me$"]


# A world in a file


def test_a_world_is_seeded_from_a_file_and_written_as_one(tmp_path: Path, stage: Stage) -> None:
    (tmp_path / "world.yaml").write_text(WORLD)
    with stage.with_app(world=world_file.read(tmp_path / "world.yaml"), store=Store()) as served:
        assert served.control("switches")["cancel"] == "described"
        assert served.control("faults")["rules"][0]["path"] == "/me$"
        written = served.get("/_sandbox/world.yaml").text
    (tmp_path / "again.yaml").write_text(written)

    with stage.with_app(world=world_file.read(tmp_path / "again.yaml"), store=Store()) as served:
        served.control("tenants", {"domain": "northwind.example", "consent_policy": "legacy"})
        alice = served.sign_in("alice@northwind.example")
        assert inbox_subjects(alice) == ["Of yesterday"]
        assert alice.get("/me").status == 503
        assert [contact["displayName"] for contact in alice.get("/me/contacts").json["value"]] == [
            "Carol Diaz"
        ]
        served.advance(86400)
        alice = served.sign_in("alice@northwind.example")
        assert inbox_subjects(alice) == ["Of tomorrow", "Of yesterday"]
    assert yaml.safe_load(written)["tenants"][0]["consent_policy"] == "recommended-2026-07"


def test_the_world_of_the_readme_is_one(stage: Stage) -> None:
    readme = (
        Path(world_file.__file__).with_name("README.md").read_text().partition("## A world of your own")[2]
    )
    block = re.search(
        r"(?:^    .*\n|^\n)+", readme.partition("    tenants:")[1] + readme.partition("    tenants:")[2], re.M
    )
    assert block is not None
    world = world_file.checked(yaml.safe_load(textwrap.dedent(block[0])))
    with stage.with_app(world=world, store=Store()) as served:
        written = yaml.safe_load(served.get("/_sandbox/world.yaml").text)
        served.control("apps", {"client_secret": APP_SECRET})
        served.control("faults", {"clear": True})
        alice = served.sign_in("alice@northwind.example")
        first = alice.write("carol@contoso.example", "Plan")
        cites = [{"id": "String 0x1042", "value": first["internetMessageId"]}]
        # Carol answers the second mail of a thread.
        alice.write("carol@contoso.example", "Plan", singleValueExtendedProperties=cites)
        served.advance(4 * 86400)
        assert served.control("health")["ok"] and len(served.truth("alice@northwind.example")["replies"]) == 1

    assert set(written) == set(world)
    assert written["events"][0]["start"] == "2027-01-11T10:00:00Z"
    assert [mail["subject"] for mail in written["mail"]] == ["Hello"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("users: [{name: Nobody}]", "number 1 of users needs address"),
        ("people: []", "has people; known are tenants, users"),
        ("switches: {cancel: perhaps}", "'cancel' accepts 'bare', 'described'"),
        ("faults: [{action: explode}]", "action is one of"),
        ("users: [", "is not YAML"),
        ("- a list", "mapping"),
    ],
)
def test_a_wrong_file_says_where_it_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "world.yaml").write_text(text)

    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        world_file.read(tmp_path / "world.yaml")


def test_the_sandbox_refuses_to_start_with_a_wrong_file(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text("people: []")
    done = run_sandbox("--world", str(tmp_path / "world.yaml"))

    assert done.wait(60) == 1
    assert b"known are tenants" in done.stderr.read()  # type: ignore[union-attr]


# The page


def test_the_page_shows_and_changes_everything(sandbox: Served, alice: Mailbox) -> None:
    sandbox.control("people", {"address": "carol@contoso.example", "person": {"behaviour": "silent"}})
    sandbox.control("faults", {"action": "slow", "seconds": 0.01, "path": "/me$"})
    sandbox.control("snapshot", {"name": "monday"})
    alice.get("/me?$select=mail")
    page = sandbox.get("/_sandbox/").text

    for shown in (
        "Real time",
        "alice@northwind.example",
        "Carol Diaz",
        "slow",
        "create_reply_status",
        "monday",
    ):
        assert shown in page
    assert ">GET /v1.0/me</code>" in page and "Not checked" not in page and "1 × user" in page
    for address, form in {
        "clock": {"rate": "0"}, "faults": {"action": "429", "path": "", "retry_after": "2.5", "count": ""},
        "switches": {"create_reply_status": "200"}, "snapshot": {"name": "tuesday"},
        "people": {"address": "carol@contoso.example", "behaviour": "opts_out"},
    }.items():  # fmt: skip
        assert sandbox.post(f"/_sandbox/{address}", form=form).status == 303
    assert sandbox.control("clock")["mode"] == "stepped"
    assert sandbox.control("faults")["rules"][1]["retry_after"] == 2.5
    assert sandbox.control("switches")["create_reply_status"] == 200
    assert sandbox.control("snapshot") == {"snapshots": ["monday", "tuesday"]}
    carol = next(p for p in sandbox.control("people") if p["address"] == "carol@contoso.example")
    assert carol["person"]["behaviour"] == "opts_out"


# https


def run_sandbox(*options: str) -> subprocess.Popen[bytes]:
    source = Path(__file__).parents[2] / "src"
    return subprocess.Popen(
        [sys.executable, "-m", "m365_sandbox", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip


def test_whoever_trusts_its_certificate_need_not_be_told_again_after_a_restart(tmp_path: Path) -> None:
    authority, server, key = tls.certificate(tmp_path)
    before = [file.read_bytes() for file in (authority, server, key)]

    assert [file.read_bytes() for file in tls.certificate(tmp_path)] == before
    key.unlink()
    assert tls.certificate(tmp_path)[0].read_bytes() != before[0]


def test_with_tls_it_tells_which_certificate_to_trust(tmp_path: Path) -> None:
    from .test_persistence import free_port

    port = free_port()
    (tmp_path / "world.yaml").write_text("users: [{address: a@b.example}]")
    process = run_sandbox("--tls", "--port", str(port), "--world", str(tmp_path / "world.yaml"))
    try:
        lines = [process.stdout.readline().decode() for _ in range(2)]  # type: ignore[union-attr]
        trusting = ssl.create_default_context(cafile=lines[1].removeprefix("Certificate to trust: ").strip())

        def answers() -> bool:
            try:
                address = f"https://localhost:{port}/_sandbox/health"
                return urllib.request.urlopen(address, context=trusting, timeout=5).status == 200
            except ConnectionError:
                return False
            except urllib.error.URLError as error:
                assert isinstance(error.reason, ConnectionError), error
                return False

        until(answers, seconds=30)
        assert lines[0].startswith("Sandbox on https://")
    finally:
        process.terminate()
        process.wait()
