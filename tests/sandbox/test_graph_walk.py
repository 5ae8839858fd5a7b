"""Every operation that COVERAGE.md calls done is there: read once with real ids, and changed where it can be."""

import base64
import re
from typing import Any

import pytest

from m365_sandbox import coverage

from .conftest import EVERYTHING, Mailbox, Served, to_address

SCOPES = EVERYTHING.replace("Contacts.Read ", "Contacts.ReadWrite ") + " MailboxSettings.ReadWrite"
WINDOW = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-04-01T00:00:00Z"
_KINDS = {
    "messages": "message", "events": "event", "instances": "event", "calendars": "calendar",
    "contacts": "contact", "contactFolders": "contact_folder", "mailFolders": "folder",
    "childFolders": "child", "attachments": "attachment", "extensions": "extension", "people": "person",
    "calendarPermissions": "permission", "messageRules": "rule", "overrides": "override", "masterCategories": "category",
    "subscriptions": "subscription",
}  # fmt: skip


def served(methods: set[str]) -> list[tuple[str, str]]:
    rows = [(method, path) for path, known in coverage.PATHS.items() for method in known if method in methods]
    return [row for row in rows if not coverage.state_of(*row)[0].startswith("not done")]


@pytest.fixture
def rich(sandbox: Served) -> tuple[Mailbox, dict[str, str]]:
    """A mailbox with one of everything, and the ids of it all."""
    ann = sandbox.sign_in("ben@northwind.example", SCOPES)
    ids: dict[str, str] = {}

    def make(kind: str, path: str, body: dict[str, Any]) -> str:
        made = ann.post(path, body)
        assert made.status == 201, (path, made.text)
        ids[kind] = made.json["id"]
        return ids[kind]

    part = {
        "@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain",
        "contentBytes": base64.b64encode(b"abc").decode(),
    }  # fmt: skip
    note = {"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "note", "said": "x"}
    folder = make("folder", "/me/mailFolders", {"displayName": "One"})
    child = make("child", f"/me/mailFolders/{folder}/childFolders", {"displayName": "Two"})
    message = make("message", f"/me/mailFolders/{folder}/messages", {"subject": "s"})
    calendar = make("calendar", "/me/calendars", {"name": "Team"})
    first = {"dateTime": "2027-03-01T09:00:00", "timeZone": "UTC"}
    every = {
        "pattern": {"type": "daily", "interval": 9},
        "range": {"type": "noEnd", "startDate": "2027-03-01"},
    }
    event = {"subject": "e", "start": first, "end": first, "recurrence": every}
    make("own_event", "/me/events", event)
    make("event", f"/me/calendars/{calendar}/events", event)
    contacts = make("contact_folder", "/me/contactFolders", {"displayName": "Leads"})
    make("contact", f"/me/contactFolders/{contacts}/contacts", {"givenName": "Ann"})
    for kind, path in (("message", f"/me/messages/{message}"), ("event", f"/me/events/{ids['event']}"),
                       ("own_event", f"/me/events/{ids['own_event']}"),
                       ("contact", f"/me/contacts/{ids['contact']}")):  # fmt: skip
        make(f"{kind} extension", f"{path}/extensions", note)
        if kind != "contact":
            make(f"{kind} attachment", f"{path}/attachments", part)
    shared = {"role": "read", "emailAddress": {"address": "alice@northwind.example"}}
    make("permission", "/me/calendar/calendarPermissions", shared)
    make("rule", f"/me/mailFolders/{folder}/messageRules", {"displayName": "r", "sequence": 1})
    make("category", "/me/outlook/masterCategories", {"displayName": "c", "color": "preset1"})
    sender = {"classifyAs": "other", "senderEmailAddress": {"address": "x@y.example"}}
    make("override", "/me/inferenceClassification/overrides", sender)
    ids["person"] = ann.get("/me/people").json["value"][0]["id"]
    ids["child message"] = ann.post(f"/me/mailFolders/{child}/messages", {"subject": "t"}).json["id"]
    return ann, ids


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with real ids: of what the default calendar holds, where it leads through that."""
    of = "event" if path.startswith("/me/calendars/") else "own_event"
    owner = next(
        (k for word, k in (("/messages/", "message"), ("/contacts/", "contact")) if word in path), of
    )

    def one(match: re.Match[str]) -> str:
        kind = _KINDS[match[1]]
        if kind == "event":
            return f"{match[1]}/{ids[of]}"
        return f"{match[1]}/{ids.get(f'{owner} {kind}') or ids[kind]}"

    return re.sub(
        r"(\w+)/\{[^}]+\}",
        one,
        path.replace("{TimeZoneStandard}", "Windows").replace("{User}", "x@y.example"),
    )


def test_every_operation_that_reads_answers_within_the_contract(rich: tuple[Mailbox, dict[str, str]]) -> None:
    ann, ids = rich
    wrong = []
    for method, path in served({"GET"}):
        if "subscription" in path:
            continue  # tests of their own
        query = f"?{WINDOW}" if re.search(r"calendarView|instances", path) else ""
        answer = ann.call(method, filled(path, ids) + query)
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status} {answer.text[:200]}")
    assert wrong == []


def test_every_operation_that_changes_or_removes_answers_within_the_contract(
    rich: tuple[Mailbox, dict[str, str]],
) -> None:
    ann, ids = rich
    wrong = []
    rows = [row for row in served({"PATCH", "DELETE"}) if "subscription" not in row[1]]
    # The deepest first, so that what is removed is not missed; changes before removals.
    for method, path in sorted(rows, key=lambda row: (row[0] == "DELETE", -row[1].count("/"), row[1])):
        answer = ann.call(method, filled(path, ids), body={} if method == "PATCH" else None)
        gone = method == "DELETE" and answer.status == 404  # by another of the ways to it
        if answer.status not in (200, 204) and not gone:
            wrong.append(f"{method} {path}: {answer.status} {answer.text[:200]}")
    assert wrong == []


def test_settings_are_changed_and_read_back(rich: tuple[Mailbox, dict[str, str]]) -> None:
    ann, _ = rich
    changed = ann.call("PATCH", "/me/mailboxSettings", body={"timeZone": "UTC", "dateFormat": "dd.MM.yyyy"})
    assert (changed.status, changed.json["dateFormat"]) == (200, "dd.MM.yyyy")
    assert ann.get("/me/mailboxSettings").json["timeZone"] == "UTC"
    assert (
        ann.post(
            "/me/sendMail", {"Message": {"subject": "s", "toRecipients": [to_address("a@b.example")]}}
        ).status
        == 202
    )
