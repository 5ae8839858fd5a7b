"""Connecting a mailbox where Microsoft or an organisation has a say: real browsers, under every consent policy."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from gatepost.isolation import inside
from gatepost.mailboxes.models import ConnectAttempt, Connection, Mailbox
from gatepost.post import letterbox

from .at_a_screen import RETURN, AtAScreen, Rep, a_rep, a_window, organisation
from .standing import Standing, until

pytestmark = pytest.mark.browser

STRICT = {"consent_policy": "recommended-2026-07", "admin_consent_workflow": False}
ALLOWS = ("legacy", "recommended-2025-07")
FORBIDS = ("recommended-2025-11", "recommended-2026-07", "no-user-consent")


@pytest.fixture
def rep_of(stand: Standing, chromium: Browser) -> Iterator[Callable[..., Rep]]:
    """Makes a rep of a new organisation with these rules."""
    opened = []

    def make(*, user: dict[str, Any] | None = None, **tenant: Any) -> Rep:
        entered = a_rep(stand, chromium, organisation(stand, **tenant), **(user or {}))
        opened.append(entered)
        return entered.__enter__()

    yield make
    for entered in reversed(opened):
        entered.__exit__(None, None, None)


@pytest.fixture
def at_it(chromium: Browser) -> Iterator[AtAScreen]:
    """An administrator at a browser of his own, who is signed in nowhere."""
    with a_window(chromium) as page:
        yield AtAScreen(page)


def domain_of(rep: Rep) -> str:
    return rep.address.partition("@")[2]


def is_connected(rep: Rep) -> None:
    rep.heading(rep.address)
    (mailbox,) = rep.rows(Mailbox)
    assert mailbox.is_connected and len(rep.rows(Connection)) == 1


def nothing_is_connected(rep: Rep) -> None:
    assert not rep.rows(Mailbox) and not rep.rows(Connection)


def waits_for_it(rep: Rep) -> str:
    """The rep sees the waiting room with both readings; the link to the page for IT."""
    rep.sees("I cancelled, or chose the wrong account")
    rep.sees("Microsoft said “Need admin approval”")
    nothing_is_connected(rep)
    return rep.page.locator("#link").input_value()


def is_sent_away(rep: Rep) -> str:
    """To Microsoft and back, where an administrator must approve; the link to the page for IT."""
    rep.adds_a_mailbox()
    rep.choose()
    rep.sees("Need admin approval")
    rep.press(RETURN)
    return waits_for_it(rep)


def approves(it: AtAScreen, link: str, rep: Rep) -> None:
    """The administrator reads the page and approves at Microsoft."""
    it.page.goto(link)
    it.clicks.clear()
    it.press("Approve at Microsoft")
    it.choose(f"it@{domain_of(rep)}")
    it.press("Accept")
    it.heading("Thank you")


def later(stand: Standing, by: timedelta) -> None:
    """Time passes that people feel: it is counted by real clocks too, so a fast one shows more of it."""
    stand.advance(by * 60)


# Every policy


@pytest.mark.parametrize("policy", ALLOWS)
def test_where_users_may_consent_two_clicks_at_microsoft_connect_the_mailbox(
    rep_of: Any, policy: str
) -> None:
    rep = rep_of(consent_policy=policy)
    rep.adds_a_mailbox()
    rep.choose()
    rep.press("Accept")
    is_connected(rep)
    assert rep.clicks == ["Add mailbox", "Microsoft account", rep.address, "Accept"]


@pytest.mark.parametrize("policy", (*ALLOWS, *FORBIDS))
def test_an_administrator_connects_his_own_mailbox_under_any_policy(rep_of: Any, policy: str) -> None:
    rep = rep_of(consent_policy=policy, user={"role": "admin"})
    rep.adds_a_mailbox()
    rep.choose()
    rep.press("Accept")
    is_connected(rep)
    assert len(rep.clicks) == 4


@pytest.mark.parametrize("policy", FORBIDS)
def test_where_only_administrators_consent_the_rep_comes_back_to_the_waiting_room(
    rep_of: Any, policy: str
) -> None:
    rep = rep_of(consent_policy=policy, admin_consent_workflow=False)
    is_sent_away(rep)
    assert len(rep.clicks) == 4


@pytest.mark.parametrize("policy", FORBIDS)
def test_a_request_from_microsofts_page_says_nothing_to_us_and_the_list_of_mailboxes_knows_of_it(
    rep_of: Any, policy: str
) -> None:
    rep = rep_of(consent_policy=policy, admin_consent_workflow=True)
    rep.adds_a_mailbox()
    rep.choose()
    rep.page.get_by_label("Justification").fill("Outreach")
    rep.press("Request approval")
    rep.sees("Request sent")
    rep.opens("/mailboxes/")
    rep.sees("Waiting for Microsoft")
    rep.press("See how to go on")
    waits_for_it(rep)


@pytest.mark.parametrize("workflow", [False, True])
def test_a_risky_app_needs_an_administrator_even_where_users_may_consent(rep_of: Any, workflow: bool) -> None:
    rep = rep_of(consent_policy="legacy", risky_app=True, admin_consent_workflow=workflow)
    rep.adds_a_mailbox()
    rep.choose()
    rep.sees("AADSTS900981" if workflow else "AADSTS900941")
    rep.opens("/mailboxes/")
    rep.press("See how to go on")
    rep.page.get_by_label("AADSTS").fill("900981" if workflow else "900941")
    rep.press("What does it mean?")
    rep.sees("Microsoft takes the app for risky")
    waits_for_it(rep)


# Approved


def test_an_approval_in_another_browser_is_told_by_letter_and_one_click_finishes_it(
    rep_of: Any, at_it: AtAScreen, stand: Standing, settings: Any
) -> None:
    rep = rep_of(**STRICT)
    link = is_sent_away(rep)
    waiting_room = urlsplit(rep.page.url).path
    rep.opens("/sequences/")  # a waiting room that is left open would not need a letter
    approves(at_it, link, rep)
    assert len(at_it.clicks) == 3
    nothing_is_connected(rep)  # an administrator's word connects nothing by itself
    settings.GATEPOST_SMTP_URL = f"file://{stand.folder}/letters"
    until(lambda: any(each.to == rep.address for each in letterbox.caught()), "the rep is told by letter")
    (letter,) = [each for each in letterbox.caught() if each.to == rep.address]
    assert letter.subject == "Your mailbox can be connected now"
    assert waiting_room in letter.text
    rep.opens("/mailboxes/")
    rep.clicks.clear()
    rep.press("Finish connecting")
    is_connected(rep)
    assert rep.clicks == ["Finish connecting"]


def test_a_waiting_room_that_is_left_open_connects_by_itself_once_it_is_approved(
    rep_of: Any, at_it: AtAScreen
) -> None:
    rep = rep_of(**STRICT)
    link = is_sent_away(rep)
    rep.clicks.clear()
    approves(at_it, link, rep)
    is_connected(rep)
    assert rep.clicks == []


def test_a_request_that_a_reviewer_approved_is_noticed_when_the_rep_comes_back(
    rep_of: Any, stand: Standing
) -> None:
    rep = rep_of(consent_policy="recommended-2026-07", admin_consent_workflow=True)
    rep.adds_a_mailbox()
    rep.choose()
    rep.page.get_by_label("Justification").fill("Outreach")
    rep.press("Request approval")
    rep.sees("Request sent")
    (request,) = [each for each in stand.look("approvals.json") if each["user"] == rep.address]
    stand.tell("review", request=request["id"], reviewer=f"it@{domain_of(rep)}", decision="approve")
    later(stand, timedelta(minutes=11))
    rep.opens("/mailboxes/")
    rep.clicks.clear()
    rep.press("See how to go on")
    is_connected(rep)
    assert rep.clicks == ["See how to go on"]


def test_asking_quietly_before_it_is_approved_leads_back_to_the_waiting_room_and_not_in_circles(
    rep_of: Any, stand: Standing
) -> None:
    rep = rep_of(**STRICT)
    is_sent_away(rep)
    later(stand, timedelta(minutes=11))
    before = stand.last_request()
    rep.page.reload()
    rep.sees("I cancelled, or chose the wrong account")
    until(lambda: asked_quietly(stand, before) == 1, "Microsoft was asked once without a page")
    rep.page.reload()
    waits_for_it(rep)
    assert asked_quietly(stand, before) == 1


def asked_quietly(stand: Standing, after: int) -> int:
    return sum("prompt=none" in str(each) for each in stand.requests(after))


def test_asking_quietly_never_connects_another_account_that_happens_to_be_signed_in(
    rep_of: Any, stand: Standing
) -> None:
    rep = rep_of(**STRICT)
    other = f"other@{domain_of(rep)}"
    stand.tell("users", address=other, name="Otto Other", kind="rep")
    rep.adds_a_mailbox()
    rep.choose(other)
    rep.press(RETURN)
    waits_for_it(rep)
    scopes = rep.rows(ConnectAttempt)[0].scopes
    stand.tell("grants", tenant=domain_of(rep), grant=scopes)
    later(stand, timedelta(minutes=11))
    rep.page.reload()
    waits_for_it(rep)


def test_an_administrator_who_refuses_changes_nothing(rep_of: Any, at_it: AtAScreen) -> None:
    rep = rep_of(**STRICT)
    at_it.page.goto(is_sent_away(rep))
    at_it.press("Approve at Microsoft")
    at_it.choose(f"it@{domain_of(rep)}")
    at_it.press("Cancel")
    at_it.heading("Not approved")
    (attempt,) = rep.rows(ConnectAttempt)
    assert (attempt.outcome, attempt.approvals_reported) == ("not_approved", 0)


def test_a_rep_who_is_the_administrator_approves_for_all_and_goes_on_in_the_same_browser(rep_of: Any) -> None:
    rep = rep_of(**STRICT)
    is_sent_away(rep)
    rep.clicks.clear()
    rep.press("I am the administrator")
    rep.choose(f"it@{domain_of(rep)}")
    rep.press("Accept")
    is_connected(rep)  # his own, though the administrator's account is signed in as well
    assert len(rep.clicks) == 3


# The organisation's rules


def test_who_is_not_on_the_apps_list_is_told_what_it_must_do(
    rep_of: Any, at_it: AtAScreen, stand: Standing
) -> None:
    rep = rep_of(consent_policy="legacy", assignment_required=True)
    rep.adds_a_mailbox()
    rep.choose()
    rep.sees("AADSTS50105")
    rep.opens("/mailboxes/")
    rep.press("See how to go on")
    rep.page.get_by_label("AADSTS").fill("AADSTS50105")
    rep.press("What does it mean?")
    rep.sees("only for people whom your IT has put on its list")
    link = waits_for_it(rep)
    stand.tell("users", address=rep.address, assigned=True)
    approves(at_it, link, rep)
    rep.opens("/mailboxes/")
    rep.press("Finish connecting")
    rep.choose()  # the stand-in forgets a sign-in that it refused
    is_connected(rep)


@pytest.mark.parametrize("where", ["page", "redirect"])
def test_conditional_access_is_explained_for_it_wherever_microsoft_tells_it(
    rep_of: Any, stand: Standing, where: str
) -> None:
    stand.switch(conditional_access_block=where)
    rep = rep_of(consent_policy="legacy", conditional_access="block")
    rep.adds_a_mailbox()
    rep.choose()
    if where == "page":
        rep.sees("AADSTS53003")
        rep.opens("/mailboxes/")
        rep.press("See how to go on")
        rep.page.get_by_label("AADSTS").fill("53003")
        rep.press("What does it mean?")
    rep.sees("Your organisation does not allow it yet")
    assert "Conditional Access" in rep.page.get_by_label("Text to forward").input_value()
    nothing_is_connected(rep)


@pytest.mark.parametrize("cancel", ["bare", "described"])
def test_whoever_cancelled_tries_again_with_what_was_begun(rep_of: Any, stand: Standing, cancel: str) -> None:
    stand.switch(cancel=cancel)
    rep = rep_of(consent_policy="legacy")
    rep.adds_a_mailbox()
    rep.choose()
    rep.press("Cancel")
    waits_for_it(rep)
    rep.clicks.clear()
    rep.press("Try again")
    rep.choose()
    rep.press("Accept")
    is_connected(rep)
    assert len(rep.clicks) == 3 and len(rep.rows(ConnectAttempt)) == 1


def test_silence_opens_the_waiting_room(rep_of: Any, stand: Standing) -> None:
    rep = rep_of(**STRICT)
    rep.adds_a_mailbox()
    rep.opens("/mailboxes/")
    rep.sees("Waiting for Microsoft")
    later(stand, timedelta(minutes=4))
    rep.page.reload()
    rep.sees("Microsoft has not sent you back")
    rep.press("See how to go on")
    waits_for_it(rep)


def test_giving_up_ends_the_attempt_and_its_link(rep_of: Any, at_it: AtAScreen) -> None:
    rep = rep_of(**STRICT)
    link = is_sent_away(rep)
    rep.press("Give up")
    rep.sees("Given up.")
    at_it.page.goto(link)
    at_it.heading("There is no such page")
    assert [each.outcome for each in rep.rows(ConnectAttempt)] == ["given_up"]


# Whose account


def test_another_account_at_a_reconnect_connects_nothing_until_the_rep_says_so(
    rep_of: Any, stand: Standing
) -> None:
    rep = rep_of(consent_policy="legacy")
    rep.adds_a_mailbox()
    rep.choose()
    rep.press("Accept")
    is_connected(rep)
    other = f"second@{domain_of(rep)}"
    stand.tell("users", address=other, name="Rita Second", kind="rep")
    with inside(rep.workspace.id):
        Mailbox.objects.update(state="needs_reconnect")
    # Microsoft asks for the password of the account that we name, and the rep chooses another account there.
    stand.tell("users", address=rep.address, password="nobody-knows-it")
    rep.page.context.clear_cookies(domain="127.0.0.1")
    rep.page.reload()
    rep.press("Connect again")
    rep.sees("Enter password")
    rep.page.goto(f"{rep.page.url}&prompt=select_account")
    rep.choose(other)
    rep.press("Accept")
    rep.heading("Another account signed in")
    rep.sees(other)
    assert len(rep.rows(Mailbox)) == 1
    rep.press(f"Add {other} as a new mailbox")
    rep.heading(other)
    assert len(rep.rows(Mailbox)) == 2


def test_connecting_again_is_one_click_for_whoever_is_still_signed_in_at_microsoft(rep_of: Any) -> None:
    rep = rep_of(consent_policy="legacy")
    rep.adds_a_mailbox()
    rep.choose()
    rep.press("Accept")
    is_connected(rep)
    with inside(rep.workspace.id):
        Mailbox.objects.update(state="needs_reconnect")
    rep.page.reload()
    rep.clicks.clear()
    rep.press("Connect again")
    rep.sees("Connected again")
    assert rep.clicks == ["Connect again"]


@pytest.mark.parametrize(
    ("user", "title", "do"),
    [
        ({"licensed": False}, "This account has no mailbox", "Give the account a licence"),
        ({"on_premises": True}, "The mailbox is not at Microsoft 365", "Move the mailbox to Exchange Online"),
    ],
    ids=["without a licence", "on premises"],
)
def test_an_account_without_a_usable_mailbox_gets_a_text_for_it(
    rep_of: Any, stand: Standing, user: dict[str, Any], title: str, do: str
) -> None:
    rep = rep_of(consent_policy="legacy")
    stand.tell("users", address=rep.address, **user)
    rep.adds_a_mailbox()
    rep.choose()
    rep.press("Accept")
    rep.heading(title)
    assert do in rep.page.get_by_label("Text to forward").input_value()
    nothing_is_connected(rep)


def test_a_shared_mailbox_cannot_be_signed_in_to_and_its_number_says_why(
    rep_of: Any, stand: Standing
) -> None:
    rep = rep_of(consent_policy="legacy")
    stand.tell("users", address=rep.address, enabled=False)  # as Microsoft makes them
    rep.adds_a_mailbox()
    rep.choose()
    rep.sees("AADSTS50057")
    rep.opens("/mailboxes/")
    rep.press("See how to go on")
    rep.page.get_by_label("AADSTS").fill("50057")
    rep.press("What does it mean?")
    rep.sees("the account behind every shared mailbox")
    nothing_is_connected(rep)


def test_a_personal_account_is_refused_by_microsoft_and_explained(rep_of: Any, stand: Standing) -> None:
    rep = rep_of(consent_policy="legacy")
    stand.tell(
        "tenants", domain="outlook.example", id="9188040d-6c67-4c5b-b112-36a304b66dad", name="Personal"
    )
    stand.tell("users", address=f"{rep.member.pk.hex}@outlook.example", name="Rita at home", kind="rep")
    rep.adds_a_mailbox()
    rep.page.get_by_label("Use another account").fill(f"{rep.member.pk.hex}@outlook.example")
    rep.press("Next")
    rep.sees("AADSTS500208")
    rep.opens("/mailboxes/")
    rep.press("See how to go on")
    rep.page.get_by_label("AADSTS").fill("500208")
    rep.press("What does it mean?")
    rep.sees("This is a personal Microsoft account")
    nothing_is_connected(rep)
