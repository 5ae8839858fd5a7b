"""Opting out by the link in a mail (RFC 8058), without signing in."""

import random
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from email.utils import parseaddr

import pytest
from django.test import Client

from gatepost.contacts.models import Suppression
from gatepost.graph import drafts
from gatepost.outbox import optout, sending
from gatepost.outbox.protocol import Route
from gatepost.sequences import jobs, steps
from gatepost.sequences.models import Enrolment
from gatepost.sequences.rules import Send
from tests import makers
from tests.at_once import at_once, for_one, without_threads
from tests.makers import fresh, rows
from tests.pages import text_of

PUBLIC = "https://gatepost.example.com"


@pytest.fixture
def sent(db, settings):
    """A message from an installation that the world can reach."""
    settings.GATEPOST_PUBLIC_URL = PUBLIC
    settings.ALLOWED_HOSTS = ["gatepost.example.com", "testserver"]
    member = makers.make_member(makers.make_workspace())
    contact = makers.make_contact(member.workspace)
    enrolment = makers.make_enrolment(makers.make_sequence(member), contact, makers.make_mailbox(member))
    return steps.act_on_due(enrolment, Send(1))


def path_of(message):
    return optout.address(message.pk).removeprefix(PUBLIC)


def suppressed(message):
    return [each.cause for each in rows(Suppression, message.workspace_id)]


def test_looking_at_the_link_changes_nothing(sent):
    page = Client().get(path_of(sent))
    assert page.status_code == 200 and "Do not write to me again" in text_of(page)
    assert suppressed(sent) == []


def test_one_press_of_a_mail_program_is_enough(sent, monkeypatch):
    """It posts without a cookie, a token or a page before, as the standard says."""
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path_of(sent), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert suppressed(sent) == ["unsubscribe"]
    without_threads(monkeypatch, jobs)
    at_once(jobs.opted_out(str(sent.workspace_id), str(sent.contact_id)))
    (enrolment,) = rows(Enrolment, sent.workspace_id)
    assert (enrolment.state, enrolment.cause) == (Enrolment.State.STOPPED, Enrolment.Cause.OPT_OUT)
    assert fresh(sent).state == "cancelled"


def test_a_second_press_says_the_same_and_adds_nothing(sent):
    for _ in range(2):
        assert Client().post(path_of(sent)).status_code == 200
    assert len(suppressed(sent)) == 1


def test_no_address_but_ours_opts_anybody_out(sent):
    chance, token = random.Random(1), optout.token_of(sent.pk)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for _ in range(10_000):
        place = chance.randrange(len(token))
        forged = token[:place] + chance.choice(letters.replace(token[place], "")) + token[place + 1 :]
        assert optout.message_of(forged) is None
    for forged in ("", "x", token[:-1], token + "A", "é", token.replace(token[0], "%", 1)):
        assert optout.message_of(forged) is None
    assert Client().post("/unsubscribe/forged/").status_code == 404
    assert suppressed(sent) == []


def test_a_mail_says_how_to_opt_out_by_the_link_in_its_text_and_in_its_headers(sent, monkeypatch):
    without_threads(monkeypatch, sending)
    assert sent.route == Route.MIME
    mail = message_from_bytes(drafts.mime(for_one(sending.letters_of, sent)), policy=default)
    assert mail["List-Unsubscribe"] == f"<{optout.address(sent.pk)}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        assert optout.address(sent.pk) in mail.get_body((kind,)).get_content()
    assert mail["Message-ID"] == sending.own_message_id(sent)


@pytest.mark.parametrize(
    "address", ["http://localhost:8000", "https://localhost", "http://gatepost.example.com"]
)
def test_where_nobody_else_reaches_us_the_mail_says_that_a_reply_is_enough(sent, settings, address):
    settings.GATEPOST_PUBLIC_URL = address
    assert optout.headers(sent.pk) == ()
    assert optout.line(sent.pk) == optout.BY_REPLY


def test_a_name_or_subject_with_line_breaks_adds_no_header_and_no_recipient():
    hostile = "Petra\r\nBcc: everybody@example.com\r\n\r\nx"
    letter = drafts.Letter(
        to_address="petra@contoso.example", to_name=hostile, subject=hostile, html="<p>x</p>", key="k", number=1,
        guard="g", text="x", from_address="alice@northwind.example", from_name=hostile, message_id="<1@northwind.example>",
    )  # fmt: skip
    mail = message_from_bytes(drafts.mime(letter), policy=default)
    assert mail["Bcc"] is None
    assert [each.addr_spec for each in mail["To"].addresses] == ["petra@contoso.example"]


@pytest.mark.parametrize(
    "hostile",
    [
        "=?utf-8?q?Petra=0D=0ABcc:_everybody@example.com?=", "=?utf-8?b?eA0KQmNjOiB4QGV4YW1wbGUuY29t?=",
        '"Petra" <petra@contoso.example>, ben@northwind.example', "Müller, Petra; x@example.com", "P" * 300,
        "Ö" * 300, "שרה כהן", 'a "b" \\ c',
    ],
)  # fmt: skip
def test_a_name_or_subject_that_means_something_in_a_header_is_read_back_as_it_was_written(hostile):
    """Python's own EmailMessage turns an encoded word in a name into the line break that it stands for."""
    letter = drafts.Letter(
        to_address="petra@contoso.example", to_name=hostile, subject=hostile, html="<p>x</p>", key="k", number=1,
        guard="g", text="x", from_address="alice@northwind.example", from_name=hostile, message_id="<1@northwind.example>",
        answers=("<0@northwind.example>",) * 40,
    )  # fmt: skip
    written = drafts.mime(letter)
    mail = message_from_bytes(written, policy=default)
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert [each.addr_spec for each in mail["To"].addresses] == ["petra@contoso.example"]
    assert mail["Subject"] == hostile
    # By the older decoder: in a name, the newer one keeps the spaces between encoded words, against RFC 2047.
    name, _address = parseaddr(message_from_bytes(written)["To"])
    assert str(make_header(decode_header(name))) == hostile[:128]
    head = written.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78
