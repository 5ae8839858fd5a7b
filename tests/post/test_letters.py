import asyncio
import smtplib

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from gatepost.accounts.models import Member
from gatepost.isolation import inside
from gatepost.post import jobs, letterbox, letters
from gatepost.post.letters import Letter
from tests.makers import make_member, make_workspace

ADDRESS = "petra@contoso.example"


@letters.letter("test")
def write_to_somebody(about):
    return Letter(ADDRESS, "It is done", f"{Member.objects.get(pk=about).name}, it is done.\n")


@letters.letter("test-nothing")
def write_nothing(about):
    return None


@pytest.fixture
def letterbox_folder(settings, tmp_path):
    settings.GATEPOST_SMTP_URL = f"file://{tmp_path}/letters%20here"
    settings.EMAIL_BACKEND = "gatepost.post.letterbox.Letterbox"
    return tmp_path / "letters here"


def queued():
    return list(ProcrastinateJob.objects.filter(task_name="post.deliver").values_list("args", flat=True))


def deliver(kind, member):
    asyncio.run(jobs.deliver(kind, str(member.workspace_id), str(member.pk)))


@pytest.mark.django_db
def test_a_letter_waits_in_the_queue_as_ids_without_address_or_text(letterbox_folder):
    member = make_member(make_workspace())
    with inside(member.workspace_id):
        assert letters.send("test", workspace_id=member.workspace_id, about=member.pk)
    assert queued() == [{"kind": "test", "workspace": str(member.workspace_id), "about": str(member.pk)}]


@pytest.mark.django_db
def test_without_a_mail_server_nothing_is_queued_and_the_caller_is_told(settings):
    settings.GATEPOST_SMTP_URL = None
    member = make_member(make_workspace())
    assert not letters.send("test", workspace_id=member.workspace_id, about=member.pk)
    assert queued() == []


def test_a_kind_that_nobody_writes_is_a_fault_of_ours():
    with pytest.raises(LookupError, match="no-such-letter"):
        letters.send("no-such-letter", workspace_id=None, about=None)


def test_a_letter_is_written_inside_its_workspace_when_it_leaves(committed_db, mailoutbox):
    deliver("test", make_member(make_workspace(), "Alice"))
    (mail,) = mailoutbox
    assert (mail.to, mail.subject, mail.body) == ([ADDRESS], "It is done", "Alice, it is done.\n")
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"


def test_nothing_leaves_when_there_is_nothing_to_tell_any_more(committed_db, mailoutbox):
    deliver("test-nothing", make_member(make_workspace()))
    assert mailoutbox == []


class Refusing(letterbox.BaseEmailBackend):
    error: Exception

    def send_messages(self, email_messages):
        raise self.error


@pytest.mark.parametrize(
    ("error", "tried_again"),
    [
        (smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}), False),
        (smtplib.SMTPRecipientsRefused({ADDRESS: (451, b"greylisted")}), True),
        (smtplib.SMTPAuthenticationError(535, b"no"), False),
        (ConnectionRefusedError(), True),
    ],
)
def test_what_a_server_refuses_for_good_is_dropped_and_the_rest_tried_again_without_naming_anybody(
    committed_db, settings, monkeypatch, caplog, error, tried_again
):
    settings.EMAIL_BACKEND = "tests.post.test_letters.Refusing"
    monkeypatch.setattr(Refusing, "error", error, raising=False)
    member = make_member(make_workspace())
    if tried_again:
        with pytest.raises(jobs.NotDelivered) as raised:
            deliver("test", member)
        assert ADDRESS not in str(raised.value) and raised.value.__cause__ is None
    else:
        deliver("test", member)
        assert "refuses a letter" in caplog.text
    assert ADDRESS not in caplog.text


def test_the_demo_catches_letters_and_shows_them_newest_first(committed_db, letterbox_folder, client):
    for name in ("Alice", "Ben"):
        deliver("test", make_member(make_workspace(), name))
    assert [caught.text for caught in letterbox.caught()] == ["Ben, it is done.\n", "Alice, it is done.\n"]
    page = client.get("/letters/").content.decode()
    assert page.index("Ben, it is done.") < page.index("Alice, it is done.") and ADDRESS in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", [None, "smtp://mail.example:25"])
def test_with_a_real_mail_server_there_is_no_letterbox(client, settings, address):
    settings.GATEPOST_SMTP_URL = address
    assert client.get("/letters/").status_code == 404


def test_the_first_line_of_a_template_is_the_subject_and_a_name_cannot_add_a_header(settings, tmp_path):
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}]
    (tmp_path / "note.txt").write_text(
        "{% autoescape off %}Subject: Hello {{ name }}\n\nDear {{ name }},\nsee {{ url }}/x.{% endautoescape %}"
    )
    made = letters.from_template("note.txt", {"name": "O'Hara\r\nBcc: x@y.example"}, to=ADDRESS)
    assert made.subject == "Hello O'Hara Bcc: x@y.example"
    assert made.text.endswith(f"see {settings.GATEPOST_PUBLIC_URL}/x.\n")
