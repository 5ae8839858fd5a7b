"""A connection lives for months, ends, and comes back: nothing is lost, nothing is sent twice, nobody is told twice."""

import email
import email.policy
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.audit.models import AuditEntry
from gatepost.demo.stand import CLIENT_ID, CLIENT_SECRET
from gatepost.isolation import inside
from gatepost.mailboxes.models import Connection, Gap, Mailbox, Notice, Probe
from gatepost.meetings.models import Meeting
from gatepost.sequences.models import Enrolment
from gatepost.vault import tokens as vault_tokens
from tests.journeys.standing import until
from tests.journeys.story import TWO_DAYS, Story


def refresh_token(story: Story) -> str:
    with inside(story.workspace.id):
        return vault_tokens.open(Connection.objects.get(), "refresh_token") or ""


def microsoft_takes(story: Story, token: str) -> bool:
    form = {
        "grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": token,
        "scope": "https://graph.microsoft.com/User.Read",
    }  # fmt: skip
    address = f"{story.stand.sandbox_url}/organizations/oauth2/v2.0/token"
    try:
        with urllib.request.urlopen(address, urllib.parse.urlencode(form).encode(), timeout=30) as answer:
            return "access_token" in json.loads(answer.read())
    except urllib.error.HTTPError:
        return False


def letters(story: Story) -> list[str]:
    """The subjects of what was written to the rep."""
    found = []
    for file in sorted((story.stand.folder / "letters").glob("*.eml")):
        letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if story.address in str(letter["To"]):
            found.append(str(letter["Subject"]))
    return found


def page(story: Story) -> str:
    return story.browser.open(f"{story.stand.url}/mailboxes/{story.mailbox.pk}/").text


def needs_the_rep(story: Story) -> bool:
    return story.mailbox.state == Mailbox.State.NEEDS_RECONNECT


def over(story: Story, cause: str) -> list[Gap]:
    """The gaps of this cause that are over."""
    return [gap for gap in story.rows(Gap, cause=cause) if gap.resumed_at is not None]


@pytest.fixture(autouse=True)
def all_users_answer(story: Story) -> Iterator[None]:
    yield
    story.stand.tell("apps", secret_expired=False)


def test_a_connection_in_use_lives_for_more_than_ninety_days_through_restarts(story: Story) -> None:
    story.settle()
    first, tokens = refresh_token(story), set()
    for part in (
        "worker",
        "web",
        "worker",
        "database",
        "sandbox",
        "worker",
        "web",
        "worker",
        "worker",
        "web",
    ):
        story.stand.kill(part)
        story.stand.start()
        story.wait(timedelta(days=12))
        assert story.mailbox.is_connected, story.mailbox.state_reason
        tokens.add(refresh_token(story))
    assert len(tokens) >= 9 and first not in tokens
    petra = story.prospect()
    story.enrol(petra)
    story.come_through(petra)


def test_the_token_before_the_last_one_is_still_good_when_its_successor_was_lost(story: Story) -> None:
    story.settle()
    before = refresh_token(story)
    story.wait(TWO_DAYS)
    assert refresh_token(story) != before
    assert microsoft_takes(story, before)


def test_after_ninety_idle_days_the_rep_is_asked_and_then_everything_goes_on(story: Story) -> None:
    petra, quirin = story.prospect(), story.prospect(name="Quirin Roth")
    story.enrol(petra, quirin)
    story.come_through(petra, quirin)
    story.stand.kill("worker")
    story.answer(petra, "Yes, I am interested.")
    story.stand.advance(timedelta(days=91))
    story.stand.start()
    until(lambda: needs_the_rep(story), "Microsoft no longer takes the sign-in")
    assert story.mailbox.state_code == "AADSTS700082"
    assert "90 days" in page(story) and "Needs you" in page(story)
    asked_to_sign_in = f"{story.address}: please sign in with Microsoft again"
    until(lambda: asked_to_sign_in in letters(story), "the rep is told by letter")
    story.wait(timedelta(hours=12))
    assert letters(story).count(asked_to_sign_in) == 1
    assert story.enrolment(quirin).state == Enrolment.State.ACTIVE
    assert len(story.sent_to(petra)) == len(story.sent_to(quirin)) == 1

    story.connect()
    until(lambda: bool(over(story, Gap.Cause.SIGN_IN)), "the gap is over")
    story.come_through(quirin, steps=2)
    assert [reply.label for reply in story.replies(petra)] == ["interested"]
    assert len(story.sent_to(petra)) == 1  # her answer was read before anything was sent
    (gap,) = over(story, Gap.Cause.SIGN_IN)
    assert (gap.code, gap.replies) == ("AADSTS700082", 1)
    assert gap.ended_at - gap.began_at > timedelta(days=90)
    assert gap.mail_read_at <= gap.resumed_at
    until(lambda: f"{story.address}: read up again, sending goes on" in letters(story), "the report was sent")
    assert "1 reply" in page(story)


def test_a_meeting_booked_in_the_gap_stops_the_sequence_before_anything_is_sent(story: Story) -> None:
    berta, quirin = story.prospect("books_meeting", name="Berta Klein"), story.prospect(name="Quirin Roth")
    story.enrol(berta, quirin)
    story.come_through(berta, quirin)
    story.stand.kill("worker")
    story.stand.advance(timedelta(days=3))
    story.stand.start()
    until(lambda: bool(over(story, Gap.Cause.DOWNTIME)), "the gap is over")
    story.come_through(quirin, steps=2)
    assert len(story.rows(Meeting)) == len(story.sent_to(berta)) == 1
    (gap,) = [each for each in over(story, Gap.Cause.DOWNTIME) if each.meetings]
    assert gap.resumed_at >= gap.calendar_read_at


def test_what_waited_is_spread_out_and_none_of_it_is_lost(story: Story) -> None:
    contacts = [story.prospect(name=f"Prospect Number{n}") for n in range(6)]
    story.enrol(*contacts)
    story.come_through(*contacts)
    with inside(story.workspace.id):
        Mailbox.objects.update(daily_limit=48)
    story.stand.kill("worker")
    story.stand.advance(timedelta(days=4))
    story.stand.set_rate(1)
    story.stand.start()
    until(lambda: bool(over(story, Gap.Cause.DOWNTIME)), "the gap is over")
    due = sorted(each.due_at for each in story.rows(Enrolment) if each.due_at)
    assert len(due) >= 4 and (due[-1] - due[0]) >= timedelta(minutes=10) * (len(due) - 1) - timedelta(
        seconds=1
    )
    story.come_through(*contacts, steps=2)
    assert [row["count"] for row in story.deliveries()] == [1] * 12


@pytest.mark.parametrize(
    ("revoke", "code"), [("admin-reset-entra", "AADSTS50173"), ("admin-revokes", "AADSTS50173")]
)
def test_a_revoked_sign_in_asks_the_rep_once_and_does_not_hammer(
    story: Story, revoke: str, code: str
) -> None:
    story.settle()
    story.stand.tell("users", address=story.address, revoke=revoke)
    until(
        lambda: story.stand.advance(timedelta(minutes=30)) is None and needs_the_rep(story),
        "the rep is asked",
    )
    assert story.mailbox.state_code == code
    asked = story.stand.last_request()
    story.wait(timedelta(days=1))
    assert story.graph_requests(asked) == []
    assert len(story.rows(AuditEntry, tag="mailbox:needs-reconnect")) == 1
    until(lambda: len(story.rows(Notice, kind="health")) == 1, "the rep is told")


def test_a_claims_challenge_is_answered_and_nobody_notices(story: Story) -> None:
    story.settle()
    story.stand.tell("challenge", account=story.address)
    story.wait(timedelta(minutes=10))
    assert story.mailbox.is_connected and story.mailbox.problem_since is None
    assert clock.now() - story.mailbox.read_through < timedelta(minutes=10)


def test_an_expired_secret_breaks_no_mailbox_and_the_alarm_is_raised_once(story: Story) -> None:
    story.settle()
    story.stand.tell("apps", secret_expired=True)
    story.wait(timedelta(days=2))
    assert story.mailbox.is_connected
    assert "Needs Gatepost" in page(story) and "Your mailbox is in order" in page(story)
    alarm = "Gatepost: Microsoft refuses its app registration"
    until(
        lambda: story.stand.advance(timedelta(minutes=10)) is None and alarm in letters(story), "it is told"
    )
    story.wait(timedelta(hours=12))
    assert letters(story).count(alarm) == 1
    story.stand.tell("apps", secret_expired=False)
    story.wait(timedelta(minutes=20))
    until(lambda: bool(over(story, Gap.Cause.REGISTRATION)), "the gap is over")
    assert "Needs Gatepost" not in page(story)


def test_what_works_is_tried_when_a_mailbox_was_connected(story: Story) -> None:
    until(lambda: len(story.rows(Probe)) == 4, "everything was tried but a draft")
    assert {each.outcome for each in story.rows(Probe)} == {"works"}
    assert "Makes a draft and removes it" in page(story)


def test_a_draft_is_tried_with_the_reps_agreement_only_and_leaves_nothing_behind(story: Story) -> None:
    story.settle()
    page(story)
    before = story.stand.last_request()
    story.browser.press("Try again", drafts="yes")
    until(lambda: bool(story.rows(Probe, name="drafts")), "a draft was tried")
    assert story.rows(Probe, name="drafts")[0].outcome == Probe.Outcome.WORKS
    asked = [(each["method"], each["path"]) for each in story.graph_requests(before)]
    assert ("POST", "/v1.0/me/messages") in asked
    assert any(method == "DELETE" for method, _ in asked)
    assert story.truth().get("sent", []) == []
