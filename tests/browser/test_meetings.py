"""Meetings with what they ask, their history and their brief, as a rep sees them."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from gatepost import clock
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member
from gatepost.isolation import inside
from gatepost.meetings import actions
from gatepost.meetings.models import Meeting, Rung
from gatepost.sequences import enrolments
from tests.browser.test_mail import shoot
from tests.browser.test_pages import sign_in
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_meeting, make_message, make_reply

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def alice(site: str) -> Member:
    member = make_member(make_workspace())
    sequence, mailbox, now = make_sequence(member), make_mailbox(member), clock.now()
    people = (("Petra", "Quandt", "Contoso"), ("Karl", "Weber", "Fabrikam"), ("Ana", "Ruiz", "Tailspin"))
    made = []
    for number, (first, last, company) in enumerate(people):
        contact = make_contact(
            member.workspace, first_name=first, last_name=last, company=company, title="Head of purchasing"
        )
        enrolment = make_enrolment(sequence, contact, mailbox)
        mail = make_message(enrolment, sent=now - timedelta(days=5 + number))
        if number != 1:  # he booked without a word
            make_reply(
                mail,
                text="Yes, let us talk next week.\n\nThursday morning suits me best, after ten.\nPlease bring prices.",
            )
        starts = now + timedelta(days=number + 1) if number else now - timedelta(hours=20)
        columns: dict[str, object] = ({"rung": "took_place"}, {}, {"match": "company", "asks": True})[number]
        made.append(make_meeting(enrolment, starts=starts, message_id=mail.pk, **columns))
        with inside(member.workspace_id):
            for days, rung, why in (
                (3, "proposed", "they invited you; you have not answered"),
                (2, "accepted", "they invited you, and you accepted"),
                (1, "moved", "from 14 Jan 2027, 09:00 to 15 Jan 2027, 10:00 UTC"),
            ):
                Rung.objects.create(
                    workspace_id=member.workspace_id, meeting=made[-1], rung=rung, reason=why,
                    at=now - timedelta(days=days),
                )  # fmt: skip
        actions.write_brief(_whole(made[-1]))
    enrolments.stop(
        _whole(made[1]).enrolment_id, "meeting", "booked", workspace_id=member.workspace_id, actor=by(member)
    )
    with inside(member.workspace_id):
        Meeting.objects.filter(pk=made[1].pk).update(rung="cancelled", state="cancelled", asks=True)
    return member


def _whole(meeting: Meeting) -> Meeting:
    with inside(meeting.workspace_id):
        return Meeting.objects.select_related("contact__company", "enrolment__sequence", "mailbox").get(
            pk=meeting.pk
        )


def test_meetings_fit_every_screen_and_their_questions_are_answered(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    too_wide = []
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            page.goto("/meetings/?part=all")
            expect(page.get_by_role("heading", level=1, name="Meetings")).to_be_visible()
            page.get_by_text("When you are told of meetings").click()
            for path in ["/meetings/?part=all", *_links(page)]:
                if "?" not in path:
                    page.goto(path)
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    too_wide.append((path, width))
                shoot(
                    page, f"meetings-{path.strip('/').replace('/', '-')[:20]}-{path[-4:-1]}-{width}-{scheme}"
                )
    assert too_wide == []
    page.goto("/meetings/?part=asks")
    page.get_by_role("link", name="Ana Ruiz").first.wait_for()
    page.locator("tbody tr", has_text="Ana Ruiz").get_by_role("link").first.click()
    page.get_by_role("button", name="Yes, stop their sequence").click()
    expect(page.get_by_text("It is with them: their sequence has stopped.")).to_be_visible()
    page.goto("/meetings/?part=asks")
    page.locator("tbody tr").get_by_role("link").first.click()
    page.get_by_role("button", name="Go on with the next step").click()
    expect(page.get_by_text("The sequence goes on with its next step.")).to_be_visible()
    page.goto("/meetings/?part=asks")
    expect(page.get_by_text("No meetings here")).to_be_visible()


def _links(page: Page) -> list[str]:
    found = page.locator("tbody th a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    return [str(each) for each in found]
