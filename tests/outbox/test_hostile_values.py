"""Whatever stands in a contact, a company, a name, a signature, a snippet or a subject: one mail to one person with our
own headers, in which nothing was evaluated; or no mail, and the reason said. Through the product's own composing and
sending, by both routes, to what the recipient's server received."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from gatepost.accounts.membership import by
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.letterhead import Letterhead, change
from gatepost.sequences.edits import StepDraft
from gatepost.snippets import actions as snippets
from gatepost.text import mail as bodies
from gatepost.vault.sealing import seal
from tests import makers
from tests.makers import fresh
from tests.outbox.received import CAROL, Post, addresses, headers_of, undone

HOSTILE = {
    "another header": "Carol\r\nBcc: everybody@example.com\r\nX-Evil: 1",
    "a body of its own": "Carol\r\n\r\n<script>alert(1)</script>",
    "a folded header": "Carol\r\n Bcc: everybody@example.com",
    "bare line feeds": "Carol\nTo: ben@northwind.example",
    "bare returns": "Carol\rTo: ben@northwind.example",
    "line separators": "Carol\u2028Bcc: everybody@example.com\u2029x\x85y\x0bz\x0c",
    "control characters": "Ca\x00ro\x07l\x1b[31m\x7f\x9b",
    "another recipient": '"Carol" <carol@contoso.example>, ben@northwind.example; everybody@example.com',
    "an encoded word": "=?utf-8?q?Carol=0D=0ABcc:_everybody@example.com?=",
    "64 kB": "C" * 65_536,
    "64 kB of lines": "C\r\n" * 21_000,
    "a direction turned": "\u202egnp.exe\u202c \u2066x\u2069\u200f",
    "an Arabic name": "عبد الرحمن",
    "a Hebrew name": "שרה כהן",
    "a field": "{{ sender_name | upcase }}",
    "a field in a tag": "{% if email %}EVALUATED{% endif %}",
    "half a field": "{{ sender_name",
    "half a tag": "{% if",
    "an end of a tag": "{% endif %} }} %}",
    "a snippet": "{{ snippet.secret }}",
    "alternatives": "{EVALUATED|EVALUATED}",
    "another language's template": "${7*7} <%= 7*7 %> #{7*7} {{7*7}} [[7*7]]",
    "a formula": '=HYPERLINK("https://evil.example","Carol")',
    "a formula of another sign": "@SUM(1+1)*cmd|'/C calc'!A0",
    "HTML": '<img src=x onerror=alert(1)><a href="javascript:alert(1)">x</a></p></body></html>',
    "HTML in entities": "&lt;script&gt;alert(1)&lt;/script&gt;&#10;&#13;",
    "marks": "**Carol** [x](javascript:alert(1)) - a\n- b\n- c",
    "quotes and slashes": "\\\"Carol\\\" 'O''Brien' \\r\\nBcc: x@example.com \\",
    "a boundary": "--===============1234567890==--\r\nContent-Type: text/html\r\n\r\n<b>x</b>",
    "a dot alone": "\r\n.\r\nQUIT\r\n",
    "half a character": "Carol \ud83d\ud800".encode("utf-8", "replace").decode(),
    "many marks on one letter": "Z" + "\u0301" * 300,
    "an emoji": "Carol 👩🏽‍🚀",
    "what does not show": "\u200b\u2060\u3164",
    "nothing but spaces": " \t\u00a0\u2003 ",
}
PLACES = (
    "first_name", "last_name", "title", "company", "city", "sender name", "signature", "HTML signature",
    "postal address", "snippet", "subject", "text",
)  # fmt: skip
STEP = StepDraft(
    0,
    "For {{ first_name | default: 'you' }} of {{ company | default: 'yours' }}, {{ title | default: 'x' }}",
    "Hi {{ first_name | default: 'there' }} {{ last_name | default: 'X' }},\n\n"
    "{{ city | default: 'somewhere' }}, {{ title | default: 'a title' }} at {{ company | default: 'work' }}.\n\n"
    "{{ snippet.case_study }}\n\n{{ sender_name | default: 'me' }}",
)
OURS = {"json": set(), "mime": {"List-Unsubscribe", "List-Unsubscribe-Post"}}


def put(post: Post, place: str, value: str) -> StepDraft:
    """The value stands in that place; past every check on the way in, where a row can hold it. The step to send."""
    workspace_id, contact = post.mailbox.workspace_id, fresh(post.contact)
    who = {"workspace_id": workspace_id, "actor": by(post.mailbox.member)}
    with inside(workspace_id):
        if place in ("first_name", "last_name", "title"):
            seal(contact, place, value)
            contact.save()
        elif place == "company":
            company = contact.company
            seal(company, "name", value)
            company.save()
        elif place == "city":
            seal(contact, "fields", json.dumps({"city": value}))
            contact.save()
        elif place == "sender name":
            mailbox = fresh(post.mailbox)
            seal(mailbox, "name", value)
            mailbox.save()
    if place == "signature":
        change(post.mailbox.pk, Letterhead(signature=value), **who)
    elif place == "HTML signature":
        change(post.mailbox.pk, Letterhead(signature_html=value), **who)
    elif place == "postal address":
        change(post.mailbox.pk, Letterhead(postal_address=value), **who)
    elif place == "snippet":
        snippets.save(workspace_id, "case_study", value, actor=who["actor"])
    elif place == "subject":
        return StepDraft(0, value, STEP.body)
    elif place == "text":
        return StepDraft(0, STEP.subject, value)
    return STEP


def write_with(post: Post, route: str, place: str, value: str) -> list[dict[str, Any]]:
    """What Carol has got: one mail, or none and somebody was told why."""
    got: list[dict[str, Any]] = []

    def example() -> None:
        try:
            step = put(post, place, value)
            sequence = makers.make_sequence(post.mailbox.member, steps=(step,))
        except BadInput as error:
            assert error.message
            return
        enrolment = makers.make_enrolment(sequence, post.contact, post.mailbox)
        message = post.plan(enrolment, 1)
        if message is None:
            assert (fresh(enrolment).state, fresh(enrolment).due_at) == ("paused", None)
            assert fresh(enrolment).reason
        else:
            post.send(message)
            got.extend(post.received())
            assert len(got) == 1
            if route == "mime":
                _check_mime(post.mime_of(message))

    undone(example)
    return got


# The marks of a value that was evaluated, each from the table above or the strategy below.
EVALUATED = ("EVALUATED", "ALICE", "SECRET")


def check(mail: dict[str, Any], route: str, place: str) -> None:
    assert addresses(mail["toRecipients"]) == [CAROL]
    assert mail["ccRecipients"] == mail["bccRecipients"] == []
    assert mail["from"]["emailAddress"]["address"] == "alice@northwind.example"
    assert set(headers_of(mail)) - {"MIME-Version", "Date"} <= OURS[route] | {
        "Received",
        "Message-ID",
        "Subject",
        "From",
        "To",
    }
    for line in (mail["subject"], mail["toRecipients"][0]["emailAddress"]["name"]):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)
    assert 0 < len(mail["subject"]) <= 255
    html = mail["body"]["content"]
    shown = LexborHTMLParser(html)
    assert {node.tag for node in shown.css("*")} <= bodies.TAGS | {"html", "head", "body"}
    for node in shown.css("*"):
        assert set(node.attributes) <= {"href", "start"}
        assert re.match(r"https?://|mailto:|tel:", node.attributes.get("href") or "https://")
    assert "A case is shown." in html or place in ("snippet", "text")


def _check_mime(mail: Any) -> None:
    """The draft itself: two parts, and each header once."""
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert [each.addr_spec for each in mail["To"].addresses] == [CAROL]
    assert len(mail.keys()) == len(set(map(str.casefold, mail.keys())))
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", *OURS["mime"],
    }  # fmt: skip


@pytest.fixture
def writing(post: Post, by_route: Any) -> Post:
    snippets.save(post.mailbox.workspace_id, "case_study", "A case is shown.", actor=by(post.mailbox.member))
    snippets.save(post.mailbox.workspace_id, "secret", "SECRET", actor=by(post.mailbox.member))
    from gatepost.contacts.actions import save_field

    save_field(post.mailbox.workspace_id, "City", kind="text", actor=by(post.mailbox.member))
    return post


@pytest.mark.parametrize("route", ["json", "mime"])
@pytest.mark.parametrize("place", PLACES)
def test_every_value_of_the_table_in_every_place_reaches_one_person_and_evaluates_nothing(
    writing: Post, by_route: Any, route: str, place: str
) -> None:
    by_route(route)
    sent = 0
    for name, value in HOSTILE.items():
        for mail in write_with(writing, route, place, value):
            sent += 1
            check(mail, route, place)
            # What the team itself writes into a template is meant to be evaluated; nobody else's words are.
            if place not in ("snippet", "subject", "text"):
                said = mail["subject"] + mail["body"]["content"].replace(value, "")
                words = [each for each in EVALUATED if each in said and each not in value]
                assert not words, (name, words)
    assert sent >= 15  # most values are odd and harmless: those must arrive
    assert {row["to"] for row in writing.alice.served.control("truth")["deliveries"]} == {CAROL}


PIECES = st.sampled_from(
    [
        *"abz{}%|<>&'\"\\:;,@=+-*. ", "\r\n", "\n", "\r", "\x00", "\x1b", "\u2028", "\u202e", "\u200b", "{{ ", " }}", "{% ",
        " %}", "Bcc: ben@northwind.example", "To:", "<script>", "{{ sender_name | upcase }}", "=?utf-8?q?", "?=", "א", "é", "😀",
        "**", "http://x.example/", "--", "{{ snippet.secret }}",
    ]
)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pieces=st.lists(PIECES, min_size=1, max_size=14),
    place=st.sampled_from(PLACES),
    route=st.sampled_from(["json", "mime"]),
)
def test_whatever_is_put_together_reaches_one_person_or_nobody(
    writing: Post, by_route: Any, pieces: list[str], place: str, route: str
) -> None:
    by_route(route)
    value = "".join(pieces)
    for mail in write_with(writing, route, place, value):
        check(mail, route, place)
        if place not in ("snippet", "subject", "text"):
            assert not any(each in mail["subject"] + mail["body"]["content"] for each in EVALUATED)
    deliveries = writing.alice.served.control("truth")["deliveries"]
    assert {row["to"] for row in deliveries} <= {CAROL}
