"""One thread in every mail program: the subject, and the headers that the recipient's server saw."""

import pytest

from gatepost.accounts.membership import by
from gatepost.isolation import inside
from gatepost.mailboxes.letterhead import Letterhead, change
from gatepost.sequences.edits import StepDraft
from gatepost.vault.sealing import seal
from tests import makers
from tests.makers import fresh
from tests.outbox.received import addresses, headers_of

STEPS = (
    StepDraft(0, "Fewer empty appointments", "Hi {{ first_name }}, shall we talk?"),
    StepDraft(2880, "", "Just following up."),
    StepDraft(2880, "", "My last note on this."),
    StepDraft(2880, "Another idea", "Something else."),
    StepDraft(2880, "", "On that other idea."),
)


def all_steps(post, steps=STEPS):
    """What Carol has got after all of them."""
    sequence = makers.make_sequence(post.mailbox.member, steps=steps)
    enrolment = makers.make_enrolment(sequence, post.contact, post.mailbox)
    for position in range(1, len(steps) + 1):
        message = post.plan(enrolment, position)
        assert message is not None, fresh(enrolment).reason
        post.send(message)
    return post.received()


@pytest.mark.parametrize("route", ["json", "mime"])
def test_follow_ups_stand_in_one_thread_in_outlook_gmail_and_apple_mail(post, by_route, route):
    """Outlook and Apple Mail go by In-Reply-To and References, Gmail by these and the same subject."""
    by_route(route)
    first, second, third, other, its_follow_up = all_steps(post)
    assert [mail["subject"] for mail in (first, second, third)] == [
        "Fewer empty appointments",
        "Re: Fewer empty appointments",
        "Re: Fewer empty appointments",
    ]
    ids = [mail["internetMessageId"] for mail in (first, second)]
    assert headers_of(second)["In-Reply-To"] == headers_of(second)["References"] == ids[0]
    assert headers_of(third)["In-Reply-To"] == ids[1]
    assert headers_of(third)["References"].split() == ids
    assert "In-Reply-To" not in headers_of(first)
    assert first["conversationId"] == second["conversationId"] == third["conversationId"]

    # A subject of its own opens another thread, which the steps after it go on with.
    assert (other["subject"], its_follow_up["subject"]) == ("Another idea", "Re: Another idea")
    assert "In-Reply-To" not in headers_of(other) and "References" not in headers_of(other)
    assert headers_of(its_follow_up)["References"] == other["internetMessageId"]
    assert other["conversationId"] != first["conversationId"]


def test_by_mime_each_mail_offers_to_opt_out_with_one_click_and_by_a_plain_link(post, by_route):
    by_route("mime")
    for mail in all_steps(post, STEPS[:2]):
        headers = headers_of(mail)
        link = headers["List-Unsubscribe"].strip("<>")
        assert link.startswith("https://gatepost.example.com/unsubscribe/")
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert f'<a href="{link}">' in mail["body"]["content"]


@pytest.mark.parametrize("route", ["json", "mime"])
def test_no_mail_loads_anything_by_which_it_is_seen_that_it_was_opened(post, by_route, route):
    by_route(route)
    change(
        post.mailbox.pk, Letterhead(signature_html='<b>Alice</b><img src="https://t.example/pixel.gif">'),
        workspace_id=post.mailbox.workspace_id, actor=by(post.mailbox.member),
    )  # fmt: skip
    for mail in all_steps(post, STEPS[:2]):
        body = mail["body"]["content"]
        assert "<b>Alice</b>" in body
        assert not any(part in body.casefold() for part in ("<img", "src=", "url(", "<link", "background"))


@pytest.mark.parametrize("route", ["json", "mime"])
def test_a_mail_comes_from_the_alias_that_was_chosen_with_signature_and_postal_address(post, by_route, route):
    by_route(route)
    alias = "outreach@northwind.example"
    post.alice.served.control("users", {"address": post.alice.address, "aliases": [alias]})
    with inside(post.mailbox.workspace_id):
        seal(post.mailbox, "aliases", alias)
        post.mailbox.save(update_fields=["aliases"])
    change(
        post.mailbox.pk,
        Letterhead("Alice\nNorthwind", '<p>Alice, <a href="https://northwind.example">Northwind</a></p>', "Harbour 1\nHamburg", alias),
        workspace_id=post.mailbox.workspace_id, actor=by(post.mailbox.member),
    )  # fmt: skip
    sequence = makers.make_sequence(post.mailbox.member, steps=STEPS[:1])
    message = post.plan(makers.make_enrolment(sequence, post.contact, post.mailbox), 1)
    post.send(message)
    (mail,) = post.received()
    assert mail["from"]["emailAddress"]["address"] == alias
    assert addresses(mail["toRecipients"]) == ["carol@contoso.example"]
    html = mail["body"]["content"].replace("\r\n", "\n")
    assert (
        '<p>Alice, <a href="https://northwind.example">Northwind</a></p>\n<p>Harbour 1<br>Hamburg</p>' in html
    )
    if route == "json":
        return  # Exchange makes the text part of the HTML
    text = post.mime_of(message).get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "shall we talk?\n\nAlice\nNorthwind\n\nHarbour 1\nHamburg\n\nIf you would rather not" in text


def test_a_follow_up_whose_opening_mail_was_skipped_opens_the_thread_with_its_subject(post, by_route):
    by_route("json")
    sequence = makers.make_sequence(post.mailbox.member, steps=STEPS[:2])
    enrolment = makers.make_enrolment(sequence, post.contact, post.mailbox)
    post.send(post.plan(enrolment, 2))
    (mail,) = post.received()
    assert mail["subject"] == "Fewer empty appointments" and "In-Reply-To" not in headers_of(mail)
