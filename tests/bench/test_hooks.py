"""`gatepost bench hooks`, small. In a process of its own: an installation has its settings from the environment, once."""

import json
import os
import subprocess
import sys

from gatepost import bench
from gatepost.bench.hooks import LIMITS

SMALL = "import json; from gatepost.bench.hooks import measure; print(json.dumps(measure(notifications=300, mailboxes=5, senders=4)))"


def test_what_was_accepted_is_told_beside_its_limit_and_was_in_the_database_when_the_process_was_killed() -> (
    None
):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "gatepost.config.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", SMALL], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    told = json.loads(ran.stdout)
    assert set(told["limits"]) == set(LIMITS) <= set(told["figures"])
    assert told["figures"]["accepted"] == 300 and told["figures"]["woken"] == 5
    assert "hooks" in bench.NAMES
