"""A reply that is made to stop its reader is not read, and the next one is."""

import json
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from gatepost.conversations.models import Reply
from gatepost.intake import jobs
from gatepost.intake.reader import NotRead, Reader
from gatepost.text import apart, lines, machine, tone
from gatepost.text.tone import ReplyInput
from tests.at_once import without_threads
from tests.intake.malformed import Hostile, Mail
from tests.intake.test_sync import Story
from tests.makers import MONDAY, clock_at, rows

# A reader whose `classify` does what the mail says: what a fault in a parser would do.
OBEDIENT = """
import os, socket, sys
from gatepost.text import apart, tone
def classify(reply):
    text = reply.text or ""
    if text == "hang":
        while True: pass
    if text == "sleep":
        import time; time.sleep(600)
    if text == "die":
        os.abort()
    if text == "eat":
        return bytearray(1 << 34)
    if text == "trip":
        raise LookupError("ours")
    if text == "open":
        open("/etc/passwd")
    if text == "connect":
        socket.socket()
    if text == "start":
        os.fork()
    return tone.Tone("other", ("other",), 1.0, (), text, None, None, None, None, "test")
apart.classify, apart.SECONDS = classify, 0.2
apart.main()
"""


@pytest.fixture(scope="module")
def obedient():
    reader = Reader((sys.executable, "-c", OBEDIENT), answers_within=2.0)
    yield reader
    reader.close()


def test_a_reader_that_was_made_ready_answers_from_the_process_that_it_has(obedient):
    obedient.be_ready()
    process = obedient.process_id
    assert process is not None
    assert obedient.read(ReplyInput(id="", text="hello")).new_text == "hello"
    assert obedient.process_id == process


def test_a_reader_that_cannot_start_is_no_reason_for_the_worker_not_to():
    reader = Reader((sys.executable, "-c", ""))
    reader.be_ready()
    assert reader.process_id is None


def test_a_worker_that_starts_has_its_reader_loaded(monkeypatch, obedient):
    monkeypatch.setattr(jobs, "reader", obedient)
    obedient.close()
    jobs.load_reader()
    for thread in threading.enumerate():
        if thread.name == "reader":
            thread.join(60)
    assert obedient.process_id is not None


@pytest.mark.parametrize(
    ("does", "reason"), [("hang", "time"), ("sleep", "time"), ("die", "died"), ("eat", "memory")]
)
def test_a_reply_that_stops_its_reader_is_not_read_and_the_next_one_is(obedient, does, reason):
    with pytest.raises(NotRead) as failed:
        obedient.read(ReplyInput(id="1", text=does))
    assert failed.value.reason == reason
    assert obedient.read(ReplyInput(id="2", text="fine")).new_text == "fine"


def test_an_error_of_ours_ends_nothing_and_is_told(obedient):
    obedient.read(ReplyInput(id="0", text="fine"))
    before = obedient.process_id
    with pytest.raises(NotRead) as failed:
        obedient.read(ReplyInput(id="1", text="trip"))
    assert (failed.value.reason, failed.value.is_ours) == ("LookupError", True)
    assert obedient.process_id == before


@pytest.mark.parametrize(("does", "error"), [("open", "OSError"), ("connect", "OSError")])
def test_the_reader_can_open_no_file_and_no_connection(obedient, does, error):
    with pytest.raises(NotRead) as failed:
        obedient.read(ReplyInput(id="1", text=does))
    assert failed.value.reason == error


def test_the_reader_gets_nothing_of_our_surroundings_but_where_programs_lie(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEPOST_KEY_FILE", "a secret")
    told = tmp_path / "told"
    child = f"import os, pathlib; pathlib.Path({str(told)!r}).write_text(' '.join(os.environ))"
    reader = Reader((sys.executable, "-c", child))
    with pytest.raises(NotRead):
        reader.read(ReplyInput(id="1", text="x"))
    assert "PATH" in told.read_text() and "GATEPOST" not in told.read_text()


def test_of_a_hundred_thousand_headers_those_are_handed_over_that_are_read():
    reply = ReplyInput(id="1", text="x" * 1_000_000, headers=[("X-Any", "y" * 10_000)] * 100_000)
    packed = apart.packed_reply(reply)
    assert (len(packed["headers"]), len(packed["text"])) == (machine.MAX_HEADERS, lines.MAX_CHARS + 1)
    assert len(json.dumps(packed)) < apart.LONGEST


def test_what_the_reader_says_is_what_the_rules_say():
    reader = Reader()
    reply = ReplyInput(
        id="1", text=None, html="<p>I am back on 3 May. Ask Bob Ray (bob@x.example) until then.</p>", received=MONDAY,
        headers=(("Auto-Submitted", "auto-replied"),), sent=("Hello there, how are you?",), cc=("c@x.example",),
    )  # fmt: skip
    try:
        assert reader.read(reply) == tone.classify(reply)
    finally:
        reader.close()


def test_a_reply_that_cannot_be_read_safely_is_kept_for_a_person(db, tmp_path, monkeypatch, obedient):
    without_threads(monkeypatch, jobs)
    monkeypatch.setattr(jobs, "reader", obedient)
    with clock_at(MONDAY, tmp_path):
        hostile = Hostile(Story())
        hostile.receive(Mail("hostile", "", "hang", is_html=False))
        hostile.receive(Mail("fine", "", "Not now.", is_html=False))
    kept = sorted(rows(Reply, hostile.story.mailbox.workspace_id), key=lambda reply: reply.created_at)
    assert [(reply.label, reply.cut) for reply in kept] == [("unsure", True), ("other", False)]
    assert hostile.wrong == []


def test_classify_says_which_mail_could_not_be_read_and_goes_on():
    program = textwrap.dedent("""
        import sys
        from gatepost.intake import reader
        reader.reader._child = (sys.executable, "-c", sys.argv[1])
        from gatepost.cli import main
        main(["classify"])
    """)
    lines = '{"id": 1, "text": "die"}\n{"id": 2, "text": "fine"}\n'
    done = subprocess.run(
        [sys.executable, "-c", program, OBEDIENT], input=lines, capture_output=True, text=True, env=os.environ, check=True
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert "could not be read safely" in first and '"new_text": "fine"' in second
