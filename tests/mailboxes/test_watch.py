"""Who is told of a change in the health of a mailbox, when, and how often."""

import asyncio
from datetime import timedelta

import pytest

from gatepost import clock
from gatepost.graph.errors import ApprovalNeeded, MailboxUnusable, TryLater
from gatepost.isolation import inside
from gatepost.mailboxes import connection, credential, letters, watch
from gatepost.mailboxes.models import ConnectAttempt, Gap, Mailbox, Notice, Registration
from gatepost.mailboxes.notices import LETTER, tell_administrators
from gatepost.post import letterbox
from gatepost.post.jobs import deliver
from tests.makers import MONDAY, advance, clock_at, fresh, make_mailbox, make_member, make_workspace, rows


@pytest.fixture
def clock_file(tmp_path):
    with clock_at(MONDAY, tmp_path) as file:
        yield file


@pytest.fixture
def mailbox(db, clock_file, settings, tmp_path):
    settings.GATEPOST_SMTP_URL = f"file://{tmp_path}/letters"
    settings.EMAIL_BACKEND = "gatepost.post.letterbox.Letterbox"
    settings.GATEPOST_CLIENT_ID, settings.GATEPOST_CLIENT_SECRET = "app", "sandbox-secret"
    return make_mailbox(make_member(make_workspace()))


def tell(mailbox):
    return watch.tell_news(mailbox.pk, workspace_id=mailbox.workspace_id)


def notices(mailbox, **conditions):
    return rows(Notice, mailbox.workspace_id, **conditions)


def letter(notice):
    with inside(notice.workspace_id):
        return letters.notice(notice.pk)


def health(mailbox):
    with inside(mailbox.workspace_id):
        box = Mailbox.objects.select_related("workspace").get(pk=mailbox.pk)
        return watch.health_of(box)


def sign_out(mailbox, code="AADSTS50173"):
    connection.needs_reconnect(mailbox.workspace_id, mailbox.pk, code)


def test_its_owner_is_told_once_and_not_every_hour(mailbox, clock_file):
    sign_out(mailbox)
    tell(mailbox)
    assert notices(mailbox) == []  # a rep who signs in again at once needs no letter
    advance(clock_file, timedelta(minutes=5))
    assert tell(mailbox)
    for _ in range(20):
        advance(clock_file, timedelta(hours=1))
        tell(mailbox)
    (notice,) = notices(mailbox)
    assert (notice.member_id, notice.about) == (mailbox.member_id, "needs_rep")
    assert fresh(mailbox).tell_at is None


def test_the_letter_says_what_happened_and_what_to_do(mailbox, clock_file):
    sign_out(mailbox)
    advance(clock_file, timedelta(minutes=5))
    tell(mailbox)
    written = letter(notices(mailbox)[0])
    assert written.to == mailbox.member.user.email
    assert written.subject == "alice@northwind.example: please sign in with Microsoft again"
    for part in (
        "Your password was reset",
        "Sign in with Microsoft again",
        f"/mailboxes/{mailbox.pk}/",
        "none is lost",
    ):
        assert part in written.text


def test_a_letter_that_is_out_of_date_when_it_leaves_is_not_written(mailbox, clock_file):
    sign_out(mailbox)
    advance(clock_file, timedelta(minutes=5))
    tell(mailbox)
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(state="connected", state_since=None)
    assert letter(notices(mailbox)[0]) is None


def test_a_blip_that_mends_itself_is_not_told(mailbox, clock_file):
    watch.cannot_be_read(mailbox, TryLater("busy"), again_at=MONDAY)
    tell(mailbox)
    advance(clock_file, timedelta(minutes=10))
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(problem_since=None, problem_who="", sync_problem="", read_through=clock.now())
    tell(mailbox)
    advance(clock_file, timedelta(minutes=10))
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(read_through=clock.now())
    tell(mailbox)
    assert notices(mailbox) == []


def test_the_same_trouble_after_a_good_time_is_told_again(mailbox, clock_file):
    for _ in range(2):
        sign_out(mailbox)
        advance(clock_file, timedelta(minutes=5))
        tell(mailbox)
        with inside(mailbox.workspace_id):
            Mailbox.objects.update(
                state="connected", state_since=None, state_code="", read_through=clock.now()
            )
        tell(mailbox)
    assert len(notices(mailbox)) == 2
    assert len(notices(mailbox, seen_at=None)) == 0  # what is over is not shown any more


def test_since_when_it_cannot_be_read_is_when_it_began(mailbox, clock_file):
    for _ in range(20):
        watch.cannot_be_read(mailbox, TryLater("envelopes: 503"), again_at=clock.now())
        advance(clock_file, timedelta(minutes=1))
    assert fresh(mailbox).problem_since == MONDAY
    assert (health(mailbox).word, health(mailbox).since) == ("limited", MONDAY)


def test_a_mailbox_that_is_gone_needs_it_and_administrators_are_told_too(mailbox, clock_file):
    admin = make_member(mailbox.member.workspace, "Ada", role="admin")
    make_member(mailbox.member.workspace, "Ben", role="rep")
    watch.cannot_be_read(mailbox, MailboxUnusable("404", code="MailboxNotEnabledForRESTAPI"), again_at=MONDAY)
    advance(clock_file, timedelta(minutes=15))
    tell(mailbox)
    assert {notice.member_id for notice in notices(mailbox)} == {mailbox.member_id, admin.pk}
    assert "MailboxNotEnabledForRESTAPI" in health(mailbox).why


def test_a_mailbox_that_may_not_be_read_is_limited_and_needs_no_it(mailbox, clock_file):
    with inside(mailbox.workspace_id):
        Mailbox.objects.update(scopes=["Mail.Send", "User.Read"], read_through=None)
    watch.cannot_be_read(mailbox, ApprovalNeeded("not granted", code="Mail.Read"), again_at=MONDAY)
    advance(clock_file, timedelta(hours=2))
    found = health(mailbox)
    assert (found.word, found.step) == ("limited", "ask")
    assert "Replies are not noticed" in found.held_back


def test_a_daily_sign_in_is_seen_as_a_pattern(mailbox, clock_file):
    admin = make_member(mailbox.member.workspace, "Ada", role="admin")
    with inside(mailbox.workspace_id):
        Gap.objects.create(
            workspace_id=mailbox.workspace_id, mailbox=mailbox, cause="sign_in", code="AADSTS70043",
            began_at=MONDAY - timedelta(days=1), ended_at=MONDAY, resumed_at=MONDAY,
        )  # fmt: skip
    sign_out(mailbox, "AADSTS70043")
    advance(clock_file, timedelta(minutes=5))
    tell(mailbox)
    assert "second time in 30 days" in health(mailbox).to_do
    assert admin.pk in {notice.member_id for notice in notices(mailbox)}


def test_an_attempt_that_came_back_without_permission_waits_for_approval(mailbox, clock_file):
    sign_out(mailbox, "AADSTS65001")
    advance(clock_file, timedelta(minutes=1))
    with inside(mailbox.workspace_id):
        ConnectAttempt.objects.create(
            workspace_id=mailbox.workspace_id, member=mailbox.member, again=mailbox,
            created_at=clock.now(), left_at=clock.now(), outcome="not_approved",
        )  # fmt: skip
    assert health(mailbox).word == "waiting_for_approval"


# The registration


def test_a_refused_registration_breaks_no_mailbox_and_raises_one_alarm(mailbox, clock_file):
    for _ in range(30):
        credential.refused("AADSTS7000222")
        advance(clock_file, timedelta(minutes=5))
    assert fresh(mailbox).is_connected
    assert (health(mailbox).word, health(mailbox).since) == ("needs_operator", MONDAY)
    assert tell_administrators("registration", "AADSTS7000222") == 1
    (notice,) = notices(mailbox)
    assert "AADSTS7000222" in letter(notice).text
    assert Registration.objects.get().alarmed_at == MONDAY + timedelta(minutes=5)


def test_while_it_is_refused_not_every_mailbox_asks_again(mailbox, clock_file):
    credential.refused("AADSTS7000222")
    with pytest.raises(credential.RegistrationWrong):
        credential.require_accepted()
    advance(clock_file, timedelta(minutes=5, seconds=1))
    credential.require_accepted()


def test_a_new_secret_is_believed_at_once(mailbox, settings):
    credential.refused("AADSTS7000222")
    settings.GATEPOST_CLIENT_SECRET = "sandbox-another"
    credential.require_accepted()
    assert health(mailbox).word == "connected"


def test_once_microsoft_takes_it_again_the_next_refusal_is_news(mailbox):
    credential.refused("AADSTS7000222")
    credential.accepted()
    assert credential.refusal() is None and health(mailbox).word == "connected"
    assert Registration.objects.get().alarmed_at is None


def test_the_end_of_the_secret_is_warned_of_once_at_each_stage(mailbox, settings, clock_file):
    settings.GATEPOST_CLIENT_SECRET_EXPIRES = (MONDAY + timedelta(days=40)).date()
    warned = []
    for day in range(45):
        if credential.warn_of_end():
            warned.append(39 - day)
        assert not credential.warn_of_end()
        advance(clock_file, timedelta(days=1))
    assert warned == [30, 14, 7, 1, 0]


def test_the_letter_before_the_end_names_the_day_and_what_to_set(mailbox, settings):
    settings.GATEPOST_CLIENT_SECRET_EXPIRES = (MONDAY + timedelta(days=10)).date()
    tell_administrators("credential_ends", "14")
    written = letter(notices(mailbox)[0])
    assert "within 14 days" in written.subject
    assert "21 Jan 2027" in written.text and "GATEPOST_CLIENT_SECRET_SPARE" in written.text


def test_the_letters_really_leave(committed_db, tmp_path, settings):
    settings.GATEPOST_SMTP_URL = f"file://{tmp_path}/letters"
    settings.EMAIL_BACKEND = "gatepost.post.letterbox.Letterbox"
    with clock_at(MONDAY, tmp_path) as file:
        mailbox = make_mailbox(make_member(make_workspace()))
        sign_out(mailbox)
        advance(file, timedelta(minutes=5))
        tell(mailbox)
        (notice,) = notices(mailbox)
        asyncio.run(deliver(LETTER, str(notice.workspace_id), str(notice.pk)))
    (caught,) = letterbox.caught()
    assert caught.to == mailbox.member.user.email
