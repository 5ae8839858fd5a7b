"""What the other side recorded, compared with our ledger."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from gatepost.errors import BadInput
from gatepost.graph.gateway import _address
from gatepost.graph.shapes import SHAPES
from gatepost.reports import activity
from gatepost.reports.activity import Ours, Theirs, compare, fits

APP, AT = "11111111-aaaa-4bbb-8ccc-000000000000", datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
VALUES = {"id": "AAMk=", "folder": "inbox", "since": "2027-01-10T09:00:00Z", "key": "k'1", "message_id": "<a@b.example>",
          "start": "2027-01-04T00:00:00Z", "end": "2027-03-12T00:00:00Z"}  # fmt: skip


def asked(name, *, key="c-1", **more):
    shape = SHAPES[name]
    given = {"status": 200, "bytes": 900, "at": AT, **more}
    return Theirs(key, shape.method, _address(shape, VALUES), **given)


def told(name, *, key="c-1", status=200, at=AT):
    return Ours(key, name, status, at)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_shape_fits_the_address_that_the_gateway_makes_of_it_and_no_other(name):
    shape = SHAPES[name]
    address = _address(shape, VALUES)
    assert fits(shape, shape.method, address)
    more = "&" if "?" in address else "?"
    assert not fits(shape, shape.method, f"{address}{more}$expand=attachments")
    assert not fits(shape, "PUT", address)
    assert not fits(shape, shape.method, address.replace("/v1.0/", "/beta/"))
    if "$select" in dict(shape.query):
        assert not fits(shape, shape.method, address.replace("select=", "select=body%2C"))


def test_what_both_sides_say_alike_is_no_difference():
    done = compare(
        [asked("envelopes"), asked("reply", key="c-2")], [told("envelopes"), told("reply", key="c-2")]
    )
    assert done.holds and dict(done.by_shape) == {"envelopes": 1, "reply": 1}


def test_a_link_that_leads_on_is_the_same_request():
    link = "/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc"
    assert compare([replace(asked("envelopes"), address=link)], [told("envelopes")]).holds
    wider = link + "&$select=" + quote("id,body")
    assert not compare([replace(asked("envelopes"), address=wider)], [told("envelopes")]).holds


@pytest.mark.parametrize(
    ("theirs", "ours", "what"),
    [
        ([asked("envelopes")], [], "a request that is not in our ledger"),
        ([asked("envelopes"), asked("reply", key="c-3")], [told("envelopes"), told("reply", key="c-2")],
         "a request in our ledger that they do not know"),
        ([replace(asked("reply"), address="/v1.0/me/messages/AAMk=/attachments")], [told("reply")],
         "a request of no shape in the closed list"),
        ([asked("reply")], [told("sender")], "a request of no shape in the closed list"),
        ([asked("reply", status=404)], [told("reply")], "another status"),
        ([asked("envelopes", bytes=5_000_000)], [told("envelopes")], "an answer larger than ids and references are"),
        ([asked("envelopes", fields=frozenset({"id", "subject"}))], [told("envelopes")],
         "fields that the shape does not name"),
    ],
)  # fmt: skip
def test_each_difference_is_named(theirs, ours, what):
    assert what in {each.what for each in compare(theirs, ours).differences}


def test_what_lies_outside_the_time_of_their_export_is_not_missed():
    early = told("reply", key="c-9", at=AT - timedelta(days=3))
    assert compare([asked("envelopes")], [told("envelopes"), early]).holds


def test_an_export_without_any_request_of_ours_proves_nothing():
    assert not compare([], [told("envelopes")]).holds


def test_a_request_with_a_token_that_had_run_out_is_nobodys():
    lost = asked("envelopes", key="c-5", status=401)
    assert compare([asked("envelopes"), lost], [told("envelopes")]).holds


def row(**more):
    shape = SHAPES["sender"]
    return {
        "TimeGenerated": "2027-01-11T09:00:00.123Z", "AppId": APP, "UserId": "u", "RequestMethod": "GET",
        "RequestUri": "https://graph.microsoft.com" + _address(shape, VALUES), "ClientRequestId": "C-1",
        "ResponseStatusCode": 200, "ResponseSizeBytes": 512, **more,
    }  # fmt: skip


def as_storage_export(rows):
    """What diagnostic settings write to a storage account: lines, names in camel case, inside `properties`."""
    return "\n".join(
        json.dumps({"time": r["TimeGenerated"], "category": "MicrosoftGraphActivityLogs",
                    "properties": {k[0].lower() + k[1:]: v for k, v in r.items() if k != "TimeGenerated"}})
        for r in rows
    )  # fmt: skip


def as_csv(rows):
    head = [name if name != "TimeGenerated" else "TimeGenerated [UTC]" for name in rows[0]]
    return "\ufeff" + "\n".join([",".join(head), *(",".join(f'"{v}"' for v in r.values()) for r in rows)])


@pytest.mark.parametrize("written", [json.dumps, as_storage_export, as_csv])
def test_microsofts_export_is_read_in_each_of_its_forms(written):
    rows = [row(), row(ClientRequestId="c-2", AppId="another app"), row(ClientRequestId="c-3", UserId="")]
    (found,) = activity.read(written(rows), client_id=APP.upper())
    assert (found.client_request_id, found.status, found.bytes) == ("c-1", 200, 512)
    assert compare([found], [told("sender")]).holds


@pytest.mark.parametrize("text", ["[{]", '{"a": 1}', "a,b\n1,2", '[{"AppId": "x"}]'])
def test_what_is_no_such_export_is_refused_in_words(text):
    with pytest.raises(BadInput, match="Nothing was compared"):
        activity.read(text, client_id="x")


@pytest.mark.parametrize("status", [0, 401])
def test_what_never_arrived_or_came_with_an_old_token_stands_under_nobodys_name_there(status):
    lost = replace(told("reply", key="c-9"), status=status)
    assert compare(
        [asked("envelopes"), asked("envelopes", key="c-8")],
        [told("envelopes"), told("envelopes", key="c-8"), lost],
    ).holds
