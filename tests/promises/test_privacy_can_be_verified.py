"""What we say that we asked and read is what the other side says: by the operator's own command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gatepost.demo.stand import CLIENT_ID

from .conftest import Told


def verify(told: Told, *options: str) -> tuple[int, dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-m", "gatepost", "verify", "privacy", "--json", *options], env=told.stand.environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_of_nine_days_our_ledger_and_the_sandboxes_record_say_the_same(told: Told) -> None:
    code, found = verify(told)
    assert (code, found["differences"]) == (0, [])
    assert found["theirs"] >= 300 and found["texts_read"] >= 5
    assert {"envelopes", "sender", "reply", "draft.send"} <= set(found["by_shape"])


def test_a_request_that_somebody_made_with_our_app_beside_the_ledger_is_found(
    told: Told, tmp_path: Path
) -> None:
    """Microsoft's export of the same days, with one request more."""
    rows = [
        {
            "TimeGenerated": each["at"], "AppId": each["app"], "UserId": each["user"], "RequestMethod": each["method"],
            "RequestUri": f"https://graph.microsoft.com{each['path']}" + (f"?{each['query']}" if each["query"] else ""),
            "ClientRequestId": each["client_request_id"], "ResponseStatusCode": each["status"],
            "ResponseSizeBytes": each["bytes"],
        }
        for each in told.stand.requests() if each.get("user") and each.get("app")
    ]  # fmt: skip
    assert {each["AppId"] for each in rows} == {CLIENT_ID}
    export = tmp_path / "export.json"
    address = "https://graph.microsoft.com/v1.0/me/messages?$select=body"
    export.write_text(json.dumps([*rows, {**rows[-1], "RequestUri": address, "ClientRequestId": "another"}]))
    code, found = verify(told, "--activity-log", str(export))
    assert code == 1 and [each["what"] for each in found["differences"]] == [
        "a request that is not in our ledger"
    ]
