"""The waiting room: an attempt is held, IT is asked, and nothing that comes without a sign-in is taken for a proof."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from gatepost.accounts.models import Workspace
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes import actions, letters, rules, waiting_room
from gatepost.mailboxes.actions import Connected, NotApproved, NotConnected, finish_connect
from gatepost.mailboxes.models import ConnectAttempt, Connection, Departure, Mailbox
from gatepost.mailboxes.waiting_views import OPENINGS_A_MINUTE
from gatepost.vault import names
from tests.graph.entra import LOGIN, OBJECT
from tests.makers import MONDAY, advance, fresh, make_member, make_workspace, rows
from tests.pages import signed_in, text_of

from .test_connect import come_back, connect, leave

ROOT = Path(__file__).parents[2]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OTHER = "77777777-8888-4777-8666-555555555555"


@pytest.fixture(autouse=True)
def letters_can_leave(settings: Any, tmp_path: Path) -> None:
    settings.GATEPOST_SMTP_URL = f"file://{tmp_path}/letters"


def attempt_of(member: Any) -> ConnectAttempt:
    (attempt,) = rows(ConnectAttempt, member.workspace_id)
    return attempt


def send_back(query: dict[str, str], **answer: str) -> Any:
    """Microsoft sends the rep back without a code."""
    return finish_connect({"state": query["state"], **answer}, session_key="browser-1")


def refused(member: Any) -> ConnectAttempt:
    """An attempt that came back without permission."""
    assert isinstance(send_back(leave(member), error="access_denied", error_subcode="cancel"), NotApproved)
    return attempt_of(member)


def state_of(attempt: ConnectAttempt) -> str:
    """The state in the administrator's link to Microsoft."""
    return parse_qs(urlsplit(waiting_room.consent_link(fresh(attempt))).query)["state"][0]


def letters_sent() -> int:
    return ProcrastinateJob.objects.filter(task_name="post.deliver", args__kind=letters.APPROVED).count()


# How an attempt stands


@pytest.mark.parametrize(
    ("outcome", "left_ago", "reported_ago", "created_ago", "stands"),
    [
        ("waiting", 2 * MINUTE, None, DAY, rules.AT_MICROSOFT),
        ("waiting", 4 * MINUTE, None, DAY, rules.SILENT),
        ("not_approved", 2 * MINUTE, None, DAY, rules.NOT_APPROVED),
        ("not_approved", 20 * DAY, None, 20 * DAY, rules.NOT_APPROVED),
        ("waiting", 4 * MINUTE, MINUTE, DAY, rules.REPORTED),
        ("not_approved", 4 * MINUTE, MINUTE, DAY, rules.REPORTED),
        ("not_approved", MINUTE, 4 * MINUTE, DAY, rules.NOT_APPROVED),  # tried since: not approved after all
        ("other_account", MINUTE, None, DAY, rules.OTHER_ACCOUNT),
        ("not_approved", DAY, None, 31 * DAY, rules.EXPIRED),
        ("not_approved", 2 * DAY, DAY, 31 * DAY, rules.EXPIRED),
        ("connected", MINUTE, None, 31 * DAY, rules.CONNECTED),
        ("given_up", MINUTE, MINUTE, DAY, rules.GIVEN_UP),
        ("failed", MINUTE, None, DAY, rules.FAILED),
    ],
)
def test_how_an_attempt_stands_follows_from_what_happened_and_when(
    outcome: str,
    left_ago: timedelta,
    reported_ago: timedelta | None,
    created_ago: timedelta,
    stands: rules.Standing,
) -> None:
    found = rules.standing_of(
        outcome,
        created=MONDAY - created_ago,
        left=MONDAY - left_ago,
        reported=reported_ago and MONDAY - reported_ago,
        now=MONDAY,
    )
    assert found == stands


def test_every_answer_without_permission_opens_the_waiting_room(host: Any, member: Any) -> None:
    for answer in (
        {"error": "access_denied"},
        {"error": "access_denied", "error_subcode": "cancel"},
        {"error": "access_denied", "error_description": "AADSTS65004: User declined to consent."},
        {"error": "access_denied", "error_uri": "https://login.microsoftonline.com/error?code=90094"},
    ):
        assert isinstance(send_back(leave(member), **answer), NotApproved)
    assert waiting_room.standing_of(attempt_of(member)) == rules.NOT_APPROVED


def test_adding_a_mailbox_once_more_goes_on_with_what_is_open_and_its_link(host: Any, member: Any) -> None:
    first = refused(member)
    link = waiting_room.page_link(first)
    assert isinstance(connect(host, member), Connected)
    attempt = attempt_of(member)
    assert (attempt.pk, attempt.outcome, waiting_room.page_link(attempt)) == (first.pk, "connected", link)
    connect(host, member)
    assert len(rows(ConnectAttempt, member.workspace_id)) == 2  # the first one was finished


def test_two_quick_clicks_make_two_ways_back_that_both_work(host: Any, member: Any) -> None:
    first, second = leave(member), leave(member)
    assert isinstance(come_back(host, first), Connected)
    assert isinstance(come_back(host, second), Connected)
    assert len(rows(Mailbox, member.workspace_id)) == 1


def test_a_later_try_that_fails_does_not_end_what_is_held(host: Any, member: Any) -> None:
    refused(member)
    result = connect(host, member, nonce="of-another")
    assert isinstance(result, NotConnected) and result.attempt_id == attempt_of(member).pk
    assert waiting_room.standing_of(attempt_of(member)) == rules.NOT_APPROVED


def test_a_first_try_that_fails_leaves_nothing_to_wait_for(host: Any, member: Any) -> None:
    result = connect(host, member, nonce="of-another")
    assert isinstance(result, NotConnected) and result.attempt_id is None
    assert waiting_room.standing_of(attempt_of(member)) == rules.FAILED


def test_what_was_given_up_cannot_be_finished_by_a_window_that_was_left_open(host: Any, member: Any) -> None:
    query = leave(member)
    waiting_room.give_up(
        attempt_of(member).pk, workspace_id=member.workspace_id, actor=actions.Actor("member")
    )
    result = come_back(host, query)
    assert isinstance(result, NotConnected) and result.refusal.title == "This was given up"
    assert host.asked == [] and rows(Connection, member.workspace_id) == []


def test_after_thirty_days_it_is_over(host: Any, member: Any, clock_file: Path) -> None:
    attempt = refused(member)
    token = waiting_room.page_link(attempt).split("/")[-2]
    advance(clock_file, 29 * DAY)
    assert waiting_room.attempt_of_link(token) is not None
    assert waiting_room.leave(attempt, session_key="browser-1", how="straight")
    advance(clock_file, 2 * DAY)
    assert waiting_room.attempt_of_link(token) is None
    with pytest.raises(BadInput, match="over"):
        waiting_room.leave(attempt, session_key="browser-1", how="straight")


# The way to Microsoft


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_what_was_asked_for_is_kept_whatever_is_switched_meanwhile(host: Any, member: Any) -> None:
    attempt = refused(member)
    with inside(member.workspace_id):
        Workspace.objects.update(features=sorted(rules.PROFILES["full"]))
    query = query_of(waiting_room.leave(attempt, session_key="browser-1", how="straight"))
    assert "Calendars.ReadWrite" not in query["scope"] and "People.Read" not in query["scope"]
    assert "prompt" not in query and "login_hint" not in query


def test_asking_quietly_shows_no_page_and_names_the_account(host: Any, member: Any) -> None:
    query = query_of(waiting_room.leave(refused(member), session_key="browser-1", how="quietly"))
    assert (query["prompt"], query["login_hint"]) == ("none", member.user.email)


def test_connecting_again_names_the_account_of_the_mailbox(host: Any, member: Any) -> None:
    connected = connect(host, member)
    address = actions.start_connect(member, session_key="browser-1", mailbox_id=connected.mailbox_id)
    query = query_of(address)
    assert query["login_hint"] == "alice@northwind.example" and "prompt" not in query


@pytest.mark.parametrize(
    ("account", "connects"), [("the-members-own", True), ("ben@northwind.example", False)]
)
def test_quietly_only_the_account_that_was_named_is_connected(
    host: Any, member: Any, account: str, connects: bool
) -> None:
    query = query_of(waiting_room.leave(refused(member), session_key="browser-1", how="quietly"))
    account = member.user.email.upper() if account == "the-members-own" else account
    result = come_back(host, query, preferred_username=account)
    assert isinstance(result, Connected if connects else NotApproved)
    assert len(rows(Connection, member.workspace_id)) == connects


@pytest.mark.parametrize(
    "error", ["login_required", "interaction_required", "consent_required", "access_denied"]
)
def test_a_quiet_no_leads_back_to_the_waiting_room(host: Any, member: Any, error: str) -> None:
    query = query_of(waiting_room.leave(refused(member), session_key="browser-1", how="quietly"))
    assert isinstance(send_back(query, error=error), NotApproved)
    assert waiting_room.standing_of(attempt_of(member)).open


def test_it_is_asked_quietly_now_and_then_and_once_after_a_report(
    host: Any, member: Any, clock_file: Path
) -> None:
    attempt = refused(member)

    def due() -> bool:
        with inside(member.workspace_id):
            return waiting_room.may_ask_quietly(fresh(attempt), member)

    assert not due()
    advance(clock_file, rules.QUIET_EVERY + MINUTE)
    assert due()
    waiting_room.leave(attempt, session_key="browser-1", how="quietly")
    assert not due()
    advance(clock_file, MINUTE)
    waiting_room.hear_of_approval(state_of(attempt))
    assert due()
    advance(clock_file, MINUTE)
    waiting_room.leave(attempt, session_key="browser-1", how="quietly")
    assert not due()


# What comes without a sign-in


def test_a_reported_approval_tells_the_rep_once_and_proves_nothing(
    host: Any, member: Any, clock_file: Path
) -> None:
    attempt = refused(member)
    advance(clock_file, MINUTE)
    state = state_of(attempt)
    for _ in range(3):
        waiting_room.hear_of_approval(state)
    assert waiting_room.standing_of(attempt_of(member)) == rules.REPORTED
    assert (letters_sent(), attempt_of(member).approvals_reported) == (1, 1)
    assert rows(Mailbox, member.workspace_id) == [] and rows(Connection, member.workspace_id) == []
    assert len(rows(AuditEntry, member.workspace_id, tag="mailbox:connect-reported")) == 1


def test_another_link_of_the_same_page_writes_no_second_letter_until_the_rep_tried(
    host: Any, member: Any, clock_file: Path
) -> None:
    attempt = refused(member)
    advance(clock_file, MINUTE)
    waiting_room.hear_of_approval(state_of(attempt))
    waiting_room.hear_of_approval(state_of(attempt))
    assert letters_sent() == 1
    advance(clock_file, MINUTE)
    send_back(leave(member), error="access_denied")
    advance(clock_file, MINUTE)
    waiting_room.hear_of_approval(state_of(attempt))
    assert letters_sent() == 2


@pytest.mark.parametrize("state", ["", "made-up", "WyJhIiwiYiIsMF0:1abc:def"])
def test_a_made_up_report_is_heard_by_nobody(host: Any, member: Any, state: str) -> None:
    refused(member)
    assert waiting_room.hear_of_approval(state) is None
    assert letters_sent() == 0 and attempt_of(member).approval_reported_at is None


def test_a_report_about_something_finished_says_nothing(host: Any, member: Any) -> None:
    state = state_of(refused(member))
    connect(host, member)
    waiting_room.hear_of_approval(state)
    assert letters_sent() == 0 and attempt_of(member).approvals_reported == 0


def test_the_letter_leads_to_the_waiting_room_and_is_not_written_once_it_is_finished(
    host: Any, member: Any
) -> None:
    attempt = refused(member)
    with inside(member.workspace_id):
        letter = letters.approved(attempt.pk)
        assert letter is not None and letter.to == member.user.email
        assert f"/mailboxes/attempts/{attempt.pk}/" in letter.text
    connect(host, member)
    with inside(member.workspace_id):
        assert letters.approved(attempt.pk) is None


# Whose account


@pytest.mark.parametrize(
    ("claims", "title"),
    [
        (
            {"tid": str(rules.PERSONAL_ACCOUNTS), "iss": f"{LOGIN}/{rules.PERSONAL_ACCOUNTS}/v2.0"},
            "This is a personal account",
        ),
        ({"idp": f"https://sts.windows.net/{OTHER}/"}, "This account is a guest there"),
    ],
    ids=["personal", "guest"],
)
def test_an_account_without_a_mailbox_of_its_own_is_refused_before_anything_is_asked_of_it(
    host: Any, member: Any, claims: dict[str, str], title: str
) -> None:
    result = connect(host, member, **claims)
    assert isinstance(result, NotConnected) and result.refusal.title == title
    assert rows(Mailbox, member.workspace_id) == []


def test_another_account_at_a_reconnect_is_refused_and_may_be_added_instead(host: Any, member: Any) -> None:
    first = connect(host, member)
    host.profile = dict(host.profile, id=OTHER, mail="ben@northwind.example")

    def again() -> dict[str, str]:
        return query_of(actions.start_connect(member, session_key="browser-1", mailbox_id=first.mailbox_id))

    result = come_back(host, again(), oid=OTHER, preferred_username="ben@northwind.example")
    assert isinstance(result, NotApproved) and result.problem == "other_account"
    assert len(rows(Mailbox, member.workspace_id)) == 1
    attempt = next(each for each in rows(ConnectAttempt, member.workspace_id) if each.again_id)
    assert waiting_room.standing_of(attempt) == rules.OTHER_ACCOUNT
    assert names.open(attempt, "account") == "ben@northwind.example"

    asked = query_of(actions.start_connect(member, session_key="browser-1", account="ben@northwind.example"))
    assert asked["login_hint"] == "ben@northwind.example"
    assert isinstance(come_back(host, asked, oid=OTHER), Connected)
    assert len(rows(Mailbox, member.workspace_id)) == 2

    host.profile = dict(host.profile, id=OBJECT)
    finished = come_back(host, again())
    assert isinstance(finished, Connected) and finished.mailbox_id == first.mailbox_id
    assert names.open(fresh(attempt), "account") is None


# The pages


def path_of(attempt: ConnectAttempt) -> str:
    return urlsplit(waiting_room.page_link(attempt)).path


def test_the_page_for_it_needs_no_sign_in_and_tells_what_an_administrator_decides_by(
    host: Any, member: Any
) -> None:
    attempt = refused(member)
    answer = Client().get(path_of(attempt))
    page = text_of(answer)
    for permission in rules.PERMISSIONS:
        asked = permission.scope in attempt.scopes
        assert all((words in page) == asked for words in (permission.reason, f" {permission.scope} "))
    assert host.entra.client_id in page and "Assignment required?" in page and "Delete" in page
    assert "adminconsent?client_id=" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store, private" and answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_the_page_for_it_holds_no_address_of_anybody(host: Any, member: Any) -> None:
    connect(host, member)
    assert not re.search(r"[\w.]+@[\w.]+", text_of(Client().get(path_of(attempt_of(member)))))


def test_the_proofs_that_the_page_for_it_names_exist(host: Any, member: Any) -> None:
    named = re.findall(r"(?:tests|docs)/[\w/]+\.(?:py|md)", text_of(Client().get(path_of(refused(member)))))
    assert len(named) >= 8
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_request_of_the_asked_permissions_is_listed_for_it(host: Any, member: Any) -> None:
    page = text_of(Client().get(f"{path_of(refused(member))}requests/"))
    assert "POST /me/messages/{id}/send" in page and "GET /me/calendarView" in page
    assert "/me/events writes" not in page  # briefs are off


def test_the_link_is_kept_sealed_and_by_a_keyed_hash_only(host: Any, member: Any) -> None:
    attempt = refused(member)
    token = waiting_room.page_link(attempt).split("/")[-2]
    assert (
        len(token) >= 32 and token.encode() not in bytes(attempt.page_token) and attempt.page_index != token
    )


def test_a_link_ends_when_it_is_switched_off_or_made_anew(host: Any, member: Any) -> None:
    attempt = refused(member)
    first, client = path_of(attempt), signed_in(member)
    client.post(f"/mailboxes/attempts/{attempt.pk}/link/", {"do": "renew"})
    second = path_of(fresh(attempt))
    assert [Client().get(each).status_code for each in (first, second)] == [404, 200]
    client.post(f"/mailboxes/attempts/{attempt.pk}/link/", {"do": "off"})
    assert Client().get(second).status_code == 404
    assert "switched off" in text_of(client.get(f"/mailboxes/attempts/{attempt.pk}/"))
    assert len(rows(AuditEntry, member.workspace_id, tag="mailbox:connect-link")) == 2


def test_whoever_tries_links_in_a_row_is_slowed_down(host: Any, member: Any) -> None:
    path, client = path_of(refused(member)), Client(REMOTE_ADDR="203.0.113.7")
    codes = {client.get(f"/mailboxes/for-it/guess-{n}/").status_code for n in range(OPENINGS_A_MINUTE + 5)}
    assert codes == {404, 429}
    slowed = client.get(path)
    assert slowed.status_code == 429 and "Wait a minute" in text_of(slowed)
    assert "Contacts" not in text_of(slowed)  # nothing of the navigation for whoever is not signed in
    assert Client(REMOTE_ADDR="203.0.113.8").get(path).status_code == 200


def test_only_the_rep_goes_to_microsoft_and_an_administrator_may_end_it(host: Any, member: Any) -> None:
    attempt = refused(member)
    boss = make_member(member.workspace, "Bea", role="admin")
    colleague = make_member(member.workspace, "Ben", role="rep")
    auditor = make_member(member.workspace, "Ada", role="auditor")
    stranger = make_member(make_workspace("Elsewhere"), "Charlie")
    page = f"/mailboxes/attempts/{attempt.pk}/"
    for who, sees, goes in (
        (boss, 200, 403),
        (colleague, 403, 403),
        (auditor, 403, 403),
        (stranger, 404, 404),
    ):
        client = signed_in(who)
        assert client.get(page).status_code == sees
        assert client.post(f"{page}go/", {"how": "straight"}).status_code == goes
    assert "New mailbox, Alice" in text_of(signed_in(boss).get("/mailboxes/"))
    assert "New mailbox" not in text_of(signed_in(colleague).get("/mailboxes/"))
    signed_in(boss).post(f"{page}give-up/")
    assert fresh(attempt).outcome == "given_up"
    assert len(rows(Departure, member.workspace_id)) == 1


def test_an_administrators_return_in_his_own_browser_says_thank_you_and_in_the_reps_leads_on(
    host: Any, member: Any
) -> None:
    attempt = refused(member)
    state = state_of(attempt)
    answer = {"admin_consent": "True", "tenant": OTHER, "scope": "Mail.Read"}
    refusal = Client().get("/mailboxes/connected/", {"error": "consent_required", "state": state, **answer})
    assert "Not approved" in text_of(refusal) and attempt_of(member).approval_reported_at is None
    assert "Thank you" in text_of(Client().get("/mailboxes/connected/", {"state": state, **answer}))
    there = signed_in(member).get("/mailboxes/connected/", {"state": state_of(attempt), **answer})
    assert there["Location"] == f"/mailboxes/attempts/{attempt.pk}/"
    assert rows(Connection, member.workspace_id) == []


def test_a_number_of_microsofts_is_explained_in_the_waiting_room(host: Any, member: Any) -> None:
    page = f"/mailboxes/attempts/{refused(member).pk}/"
    shown = signed_in(member).get(page, {"number": "AADSTS53003"})
    assert "Your organisation does not allow it yet" in text_of(shown)
    assert "does not know" in text_of(signed_in(member).get(page, {"number": "9999999"}))


def test_a_list_of_what_is_held_asks_no_more_of_the_database_as_it_grows(host: Any, member: Any) -> None:
    client = signed_in(member)
    client.get("/mailboxes/")  # the first page of a session also notes where it comes from
    asked = []
    for number in range(2):
        with inside(member.workspace_id):
            for scopes in (["a"], ["b"], ["c"]):
                waiting_room.open_attempt(member, frozenset([*scopes, str(number)]))
        with CaptureQueriesContext(connection) as queries:
            assert "New mailbox" in text_of(client.get("/mailboxes/"))
        asked.append(len(queries))
    assert asked[0] == asked[1]
