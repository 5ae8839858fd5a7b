"""What a mailbox may do is asked for when it is wanted, and the page says what runs. In a real browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from gatepost.conversations.models import Reply
from gatepost.mailboxes.models import ConnectAttempt, Mailbox
from gatepost.outbox.models import Message
from gatepost.sequences.models import Enrolment, Task
from gatepost.vault import names
from tests import makers

from .at_a_screen import RETURN, Rep, a_rep, organisation
from .standing import Standing, until
from .story import OtherMailbox

pytestmark = pytest.mark.browser

POLICIES = ("legacy", "recommended-2025-07", "recommended-2025-11", "recommended-2026-07")
WHAT_IT_DOES = "#features"


@pytest.fixture
def rep(stand: Standing, chromium: Browser) -> Iterator[Rep]:
    """A rep of a company as Microsoft sets them up today: an administrator accepts what reads mail."""
    stand.to_a_tuesday_morning()
    domain = organisation(stand, consent_policy="recommended-2026-07", admin_consent_workflow=False)
    with a_rep(stand, chromium, domain) as begun:
        yield begun


def connects_for_sending_only(rep: Rep) -> None:
    rep.opens("/mailboxes/new/")
    rep.press("Microsoft account, sending only")
    rep.choose()
    rep.press("Accept")
    rep.heading(rep.address)


def scopes_of(mailbox: Mailbox) -> set[str]:
    return set(mailbox.scopes)


def prospect(rep: Rep, behaviour: str = "silent") -> str:
    """Somebody who lives in the sandbox; his address."""
    address = f"petra@customer-{rep.workspace.id.hex[-8:]}.example"
    person = {
        "address": address, "name": "Petra Quandt", "company": "Contoso", "title": "Head of Care",
        "time_zone": "Europe/Berlin", "country": "DE", "language": "en", "behaviour": behaviour,
        "delay_hours": 1.0, "office_hours": [0, 24],
    }  # fmt: skip
    rep.stand.tell("users", address=address, name="Petra Quandt", kind="prospect", person=person)
    return address


def has(rep: Rep, model: type, **conditions: object) -> bool:
    return bool(rep.rows(model, **conditions))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_mailbox_is_connected_for_sending_only_without_an_administrator(
    stand: Standing, chromium: Browser, policy: str
) -> None:
    with a_rep(stand, chromium, organisation(stand, consent_policy=policy)) as rep:
        connects_for_sending_only(rep)
        (mailbox,) = rep.rows(Mailbox)
        assert mailbox.send_only and scopes_of(mailbox) == {"Mail.Send", "User.Read"}
        rep.sees("Connected for sending only")
        expect(rep.page.locator("#state")).to_contain_text("Its mail is not read.")


def test_where_nobody_may_consent_sending_only_waits_for_an_administrator_too(
    stand: Standing, chromium: Browser
) -> None:
    with a_rep(stand, chromium, organisation(stand, consent_policy="no-user-consent")) as rep:
        rep.opens("/mailboxes/new/")
        rep.press("Microsoft account, sending only")
        rep.choose()
        rep.press(RETURN)
        rep.page.wait_for_url("**/mailboxes/attempts/**")
        (attempt,) = rep.rows(ConnectAttempt)
        assert attempt.send_only and not rep.rows(Mailbox)


def test_from_the_waiting_room_the_mailbox_is_connected_for_sending_only_meanwhile(rep: Rep) -> None:
    rep.opens("/mailboxes/new/")
    rep.press("Microsoft account")
    rep.choose()
    rep.press(RETURN)
    rep.press("Connect for sending only now")
    rep.choose()
    rep.press("Accept")
    rep.heading(rep.address)
    assert [mailbox.send_only for mailbox in rep.rows(Mailbox)] == [True]


def test_a_first_step_is_sent_the_follow_up_is_a_task_and_the_rest_can_be_allowed_later(rep: Rep) -> None:
    connects_for_sending_only(rep)
    contact = makers.make_contact(rep.workspace, prospect(rep), first_name="Petra", last_name="Quandt")
    (mailbox,) = rep.rows(Mailbox)
    enrolment = makers.make_enrolment(makers.make_sequence(rep.member), contact, mailbox)
    until(lambda: has(rep, Message, state=Message.State.ACCEPTED), "the first step was taken")
    (message,) = rep.rows(Message)
    assert message.graph_id == ""
    (delivery,) = [row for row in rep.stand.look("truth")["deliveries"] if row["from"] == rep.address]

    rep.stand.advance(timedelta(days=3))
    until(lambda: has(rep, Task, state=Task.State.OPEN), "the follow-up became a task")
    rep.opens("/outbox/")
    rep.sees("1 task waits for you.")
    rep.press("To the tasks")
    rep.press("Petra Quandt")
    rep.heading("Send by hand: Petra Quandt")
    expect(rep.page.locator("#task-text")).to_contain_text("just following up.")
    rep.press("I have sent it")
    rep.sees("Nothing is yours to do")
    assert [each.next_position for each in rep.rows(Enrolment)] == [3]
    assert len([row for row in rep.stand.look("truth")["deliveries"] if row["from"] == rep.address]) == 1

    # An administrator approves; then one button allows the rest, and what was sent is found again.
    domain = rep.address.partition("@")[2]
    rep.stand.tell("tenants", domain=domain, consent_policy="legacy")
    rep.opens(f"/mailboxes/{mailbox.pk}/")
    rep.press("Allow the rest")
    expect(rep.page.get_by_text("Read your mail")).to_be_visible()
    expect(rep.page.get_by_text("Send mail as you")).to_have_count(0)  # only what is new
    rep.press("Accept")
    rep.heading(rep.address)
    until(lambda: has(rep, Message, state=Message.State.CONFIRMED), "what was sent is found")
    (mailbox,) = rep.rows(Mailbox)
    assert not mailbox.send_only and {"Mail.Send", "Mail.ReadWrite", "Calendars.Read"} <= scopes_of(mailbox)
    until(lambda: rep.rows(Mailbox)[0].read_through is not None, "the mailbox is read")
    assert rep.rows(Enrolment)[0].pk == enrolment.pk and delivery["from"] == rep.address

    # She answers the mail that was sent when answers could not be noticed; now it stops her sequence.
    sent = next(
        fact for fact in rep.stand.look(f"truth?mailbox={rep.address}")["mailboxes"][rep.address]["sent"]
    )
    rep.stand.tell(
        "deliver", mailbox=rep.address, text="Yes, let us talk.", subject="Re: Quick question",
        in_reply_to=sent["internetMessageId"], **{"from": names.open(contact, "email")},
    )  # fmt: skip
    until(lambda: has(rep, Reply), "the reply is noticed")
    assert rep.rows(Enrolment)[0].cause == Enrolment.Cause.REPLY


def test_a_feature_that_is_switched_on_is_asked_for_then_and_until_then_the_page_says_what_does_not_run(
    stand: Standing, chromium: Browser
) -> None:
    with a_rep(stand, chromium, organisation(stand, consent_policy="legacy")) as rep:
        rep.opens("/mailboxes/new/")
        rep.press("Microsoft account")
        rep.choose()
        expect(rep.page.get_by_text("Have full access to your calendars")).to_have_count(0)
        rep.press("Accept")
        rep.heading(rep.address)

        rep.opens("/mailboxes/permissions/")
        rep.press("Switch on: Shows briefs as private events in your calendar")
        rep.sees("Switched on.")
        rep.sees("1 mailbox without it")
        rep.opens("/mailboxes/")
        rep.sees("1 thing does not run")
        rep.press(rep.address)
        health = rep.page.locator("#state")
        expect(health).to_contain_text("Limited")
        does = rep.page.locator(WHAT_IT_DOES)
        expect(does).to_contain_text("Microsoft has not granted “Have full access to your calendars”.")
        expect(does).to_contain_text("Briefs are shown in Gatepost only.")

        rep.press("Ask Microsoft for it")
        expect(rep.page.get_by_text("Have full access to your calendars")).to_be_visible()
        expect(rep.page.get_by_text("Read your mail")).to_have_count(0)  # only what is new
        rep.press("Accept")
        rep.heading(rep.address)
        expect(rep.page.locator("#state")).not_to_contain_text("Limited")
        assert "Calendars.ReadWrite" in rep.rows(Mailbox)[0].scopes

        rep.opens("/mailboxes/permissions/")
        rep.press("Switch off: Shows briefs as private events in your calendar")
        rep.sees("Switched off.")
        rep.opens("/mailboxes/new/")
        rep.press("Microsoft account")
        asked = rep.rows(ConnectAttempt, outcome="waiting")[-1].scopes
        assert "Calendars.ReadWrite" not in asked and "Calendars.Read" in asked


def test_a_new_permission_that_is_refused_leaves_running_what_runs(
    stand: Standing, chromium: Browser
) -> None:
    with a_rep(stand, chromium, organisation(stand, consent_policy="legacy")) as rep:
        rep.opens("/mailboxes/new/")
        rep.press("Microsoft account")
        rep.choose()
        rep.press("Accept")
        rep.heading(rep.address)
        rep.opens("/mailboxes/permissions/")
        rep.press("Switch on: Imports contacts from Outlook")
        (mailbox,) = rep.rows(Mailbox)
        rep.opens(f"/mailboxes/{mailbox.pk}/")
        rep.press("Ask Microsoft for it")
        rep.press("Cancel")
        rep.page.wait_for_url("**/mailboxes/attempts/**")
        (mailbox,) = rep.rows(Mailbox)
        assert mailbox.is_connected and "Mail.ReadWrite" in mailbox.scopes


def test_outlook_contacts_are_shown_when_asked_for_and_only_the_ticked_are_kept(
    stand: Standing, chromium: Browser
) -> None:
    with a_rep(stand, chromium, organisation(stand, consent_policy="legacy")) as rep:
        rep.opens("/contacts/outlook/")
        rep.sees("No list to import from yet")
        rep.press("Permissions")
        rep.press("Switch on: Imports contacts from Outlook")
        rep.press("Switch on: Imports from the people you work with most")
        rep.opens("/mailboxes/new/")
        rep.press("Microsoft account")
        rep.choose()
        rep.press("Accept")
        rep.heading(rep.address)
        outlook = OtherMailbox.of(stand, rep.address)
        for given, family in (("Karla", "Kunde"), ("Ingo", "Internal")):
            domain = "customer.example" if given == "Karla" else rep.address.partition("@")[2]
            outlook.ask(
                "POST",
                "/me/contacts",
                {
                    "givenName": given,
                    "surname": family,
                    "companyName": "Contoso",
                    "emailAddresses": [{"address": f"{given.lower()}@{domain}", "name": given}],
                },
            )
        rep.opens("/contacts/outlook/")
        rep.press(f"Outlook contacts: {rep.address}")
        rep.sees("is an address of your own organisation")
        rep.page.get_by_label("Karla Kunde").check()
        rep.press("Import the ticked")
        rep.heading("Outlook contacts")
        rep.opens("/contacts/")
        rep.sees("Karla Kunde")
        expect(rep.page.get_by_text("Ingo Internal")).to_have_count(0)


def test_a_mailbox_of_a_domain_that_is_not_allowed_is_refused_with_the_way_on(
    stand: Standing, chromium: Browser
) -> None:
    with a_rep(stand, chromium, organisation(stand, consent_policy="legacy")) as rep:
        rep.opens("/mailboxes/permissions/")
        rep.page.get_by_label("Mailboxes of these domains may be connected").fill("outreach.example")
        rep.press("Save")
        rep.sees("Saved. What is connected already stays connected.")
        rep.opens("/mailboxes/new/")
        rep.sees("One of these domains: outreach.example.")
        rep.press("Microsoft account")
        rep.choose()
        rep.press("Accept")
        rep.heading("cannot be connected here")
        rep.sees("This workspace takes only mailboxes of outreach.example")
        rep.sees("ask an administrator of this workspace to allow it")
        assert not rep.rows(Mailbox)
