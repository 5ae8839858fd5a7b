"""No model is trained on customers' mail, and nothing is shared: labelling opens no connection and changes no file."""

import json
import subprocess
import sys

from gatepost.conversations.models import Reply
from m365_sandbox.people import corpus

from .conftest import Told, program

# A hook sees what the interpreter itself does, whichever library asks for it: https://peps.python.org/pep-0578/
WATCHED = """
import sys
seen = []
def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.system", "urllib.")):
        seen.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"write {arguments[0]}")
from gatepost.text.classify import classify_lines
lines = sys.stdin.read().splitlines()
sys.addaudithook(watch)
for line in classify_lines(lines):
    print(line)
print(seen, file=sys.stderr)
"""


def replies() -> str:
    return "\n".join(json.dumps({"id": each.id, "text": each.text}) for each in corpus.replies()[::5])


def test_labelling_opens_no_connection_starts_no_process_and_writes_no_file() -> None:
    ran = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED], input=replies(), capture_output=True, text=True, check=True
    )
    labelled = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(labelled) > 40 and not any("error" in each for each in labelled)
    assert ran.stderr.strip() == "[]"


def test_labels_do_not_depend_on_what_was_labelled_before() -> None:
    lines = replies().splitlines()
    command = [sys.executable, "-m", "gatepost", "classify"]
    one_way, other_way = (
        subprocess.run(
            command, input="\n".join(order), capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for order in (lines, lines[::-1])
    )
    assert one_way == other_way[::-1]


def test_what_decides_labels_is_the_same_file_by_file_after_a_run_with_replies(told: Told) -> None:
    assert told.rows(Reply), "a run without replies proves nothing"
    assert program() == told.program_before


def test_each_reply_names_the_version_that_labelled_it(told: Told) -> None:
    assert len({reply.version for reply in told.rows(Reply)}) == 1
