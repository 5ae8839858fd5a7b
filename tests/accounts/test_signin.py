"""Passwords, second factors, sessions and the letters about them."""

import re
from importlib.resources import files
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from gatepost.accounts import actions, letters
from gatepost.accounts.membership import by
from gatepost.accounts.models import Member, Workspace
from gatepost.accounts.rules import Proof
from gatepost.accounts.sessions import device
from gatepost.audit.models import AuditEntry
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.post import letters as post
from tests.makers import PASSWORD, make_member, make_workspace, rows
from tests.pages import confirmed, signed_in, text_of

NEW = "quite-another-word"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def alice(db: None) -> Member:
    return make_member(make_workspace())


@pytest.fixture(autouse=True)
def mail_server(settings: Any) -> None:
    settings.GATEPOST_SMTP_URL = "smtp://localhost"


def sign_in(member: Member, client: Client | None = None, password: str = PASSWORD) -> Client:
    client = client or Client(headers={"User-Agent": FIREFOX})
    client.post("/sign-in/", {"login": member.user.email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/inbox/").status_code == 200


def queued() -> list[str]:
    jobs = ProcrastinateJob.objects.filter(task_name="post.deliver").order_by("id")
    return [args["kind"] for args in jobs.values_list("args", flat=True)]


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))


def with_app(member: Member) -> str:
    """The member has an authenticator app; its secret."""
    secret = generate_totp_secret()
    TOTP.activate(member.user, secret)
    return secret


def test_with_an_authenticator_app_the_password_alone_is_not_enough(alice: Member) -> None:
    secret = with_app(alice)
    client = sign_in(alice)
    assert not is_in(client)
    wrong = client.post("/sign-in/factor/", {"code": "000000"})
    assert "Incorrect code" in text_of(wrong) and not is_in(client)
    client.post("/sign-in/factor/", {"code": code(secret)})
    assert is_in(client)


def test_a_code_works_once(alice: Member) -> None:
    secret = with_app(alice)
    given = code(secret)
    sign_in(alice).post("/sign-in/factor/", {"code": given})
    again = sign_in(alice)
    again.post("/sign-in/factor/", {"code": given})
    assert not is_in(again)


def test_setting_up_an_app_asks_first_who_one_is_and_then_gives_recovery_codes(alice: Member) -> None:
    client = sign_in(alice)
    assert client.get("/account/app/")["Location"].startswith("/account/confirm/")
    page = confirmed(client).get("/account/app/")
    secret = page.context["form"].secret
    assert "data:image/svg+xml" in page.content.decode()
    codes = client.post("/account/app/", {"code": code(secret)}, follow=True)
    assert len(codes.context["unused_codes"]) == 10
    other = sign_in(alice)
    other.post("/sign-in/factor/", {"code": codes.context["unused_codes"][0]})
    assert is_in(other)


def test_the_secret_of_an_app_and_of_recovery_codes_is_sealed(alice: Member) -> None:
    secret = with_app(alice)
    (stored,) = Authenticator.objects.filter(user=alice.user)
    assert secret not in str(stored.data)
    assert stored.wrap().validate_code(code(secret))


def test_each_change_of_the_sign_in_is_told_by_letter_and_recorded(committed_db: None) -> None:
    alice = make_member(make_workspace())
    client = confirmed(sign_in(alice))
    secret = client.get("/account/app/").context["form"].secret
    client.post("/account/app/", {"code": code(secret)})
    client.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert [kind for kind in queued() if kind != letters.NEW_DEVICE] == [
        "accounts.app-added", "accounts.password-changed",
    ]  # fmt: skip
    changes = [
        each.detail["what"] for each in rows(AuditEntry, alice.workspace_id, tag="member:sign-in-change")
    ]
    assert sorted(changes) == ["app-added", "password-changed"]


def test_every_letter_of_allauth_has_one_of_ours() -> None:
    """Whatever allauth may send must have words of ours, else its page fails."""
    theirs = {
        f"{part}/email/{file.name.removesuffix('_subject.txt')}"
        for part in ("mfa", "socialaccount")
        for file in (files("allauth") / "templates" / part / "email").iterdir()
        if file.name.endswith("_subject.txt")
    }
    assert theirs == {name for name in letters.NOTICES if not name.startswith("account/")}


def test_the_worker_knows_who_writes_each_letter(settings: Any) -> None:
    """A letter is written by the worker, which imports these modules and no page."""
    writers = {write.__module__ for kind, write in post._writers.items() if kind.startswith("accounts.")}
    assert writers == {"gatepost.accounts.invitations", "gatepost.accounts.letters"}
    assert writers <= set(settings.PROCRASTINATE_IMPORT_PATHS)


@pytest.mark.parametrize("notice", letters.NOTICES.values(), ids=lambda notice: notice.name)
def test_a_letter_says_what_changed_and_where_to_look(
    alice: Member, notice: letters.Notice, settings: Any
) -> None:
    with inside(alice.workspace_id):
        letter = post.write(letters.kind_of(notice), alice.user_id)
    assert letter is not None and letter.to == alice.user.email
    assert notice.says in letter.text and f"{settings.GATEPOST_PUBLIC_URL}/account/" in letter.text


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(alice: Member) -> None:
    here, there = sign_in(alice), sign_in(alice)
    assert is_in(there)
    here.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert is_in(here) and not is_in(there)


def test_a_new_password_is_set_by_a_letter_and_the_link_works_once(alice: Member, settings: Any) -> None:
    elsewhere = sign_in(alice)
    Client().post("/sign-in/password/", {"email": alice.user.email})
    assert queued()[-1] == letters.NEW_PASSWORD
    with inside(alice.workspace_id):
        letter = post.write(letters.NEW_PASSWORD, alice.user_id)
    assert letter is not None
    path = next(line for line in letter.text.splitlines() if "/sign-in/password/" in line)
    client = Client()
    form = client.get(path.removeprefix(settings.GATEPOST_PUBLIC_URL), follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert is_in(sign_in(alice, password=NEW)) and not is_in(elsewhere)
    again = Client().get(path.removeprefix(settings.GATEPOST_PUBLIC_URL), follow=True)
    assert "works no more" in text_of(again)


def test_asking_for_a_new_password_does_not_tell_whether_the_address_is_known(alice: Member) -> None:
    known = Client().post("/sign-in/password/", {"email": alice.user.email}, follow=True)
    unknown = Client().post("/sign-in/password/", {"email": "nobody@northwind.example"}, follow=True)
    assert text_of(known) == text_of(unknown)
    assert queued() == [letters.NEW_PASSWORD]


def test_without_a_mail_server_the_page_says_who_can_help(db: None, settings: Any) -> None:
    settings.GATEPOST_SMTP_URL = None
    assert "gatepost recover" in text_of(Client().get("/sign-in/password/"))


def test_after_five_wrong_passwords_even_the_right_one_waits(alice: Member) -> None:
    client = Client()
    for _ in range(5):
        client.post("/sign-in/", {"login": alice.user.email, "password": "wrong"})
    page = client.post("/sign-in/", {"login": alice.user.email, "password": PASSWORD})
    assert "Too many failed login attempts" in text_of(page)


def test_behind_a_proxy_attempts_are_counted_by_the_address_that_the_proxy_names(
    alice: Member, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(12):  # a limit of ten a minute for one address
        one = Client(headers={"X-Forwarded-For": "203.0.113.9"})
        one.post("/sign-in/", {"login": f"guess-{number}@northwind.example", "password": "wrong"})
    blocked = Client(headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    assert not is_in(sign_in(alice, blocked))  # what the visitor wrote himself does not count
    assert is_in(sign_in(alice, Client(headers={"X-Forwarded-For": "198.51.100.7"})))


def test_a_sign_in_from_a_new_browser_is_told_but_not_the_first_of_all_and_not_a_known_one(
    alice: Member,
) -> None:
    known = sign_in(alice)
    known.post("/sign-out/")
    sign_in(alice, known)
    assert queued() == []
    sign_in(alice)
    assert queued() == [letters.NEW_DEVICE]
    with inside(alice.workspace_id):
        letter = post.write(letters.NEW_DEVICE, alice.user_id)
    assert letter is not None and "Firefox on Windows, from 127.0.0.1" in letter.text


def test_the_own_page_lists_sessions_and_ends_one_or_all_others(alice: Member) -> None:
    here, there, phone = sign_in(alice), sign_in(alice), sign_in(alice)
    for client in (here, there, phone):
        is_in(client)
    page = here.get("/account/")
    assert text_of(page).count("Firefox on Windows") == 3 and "127.0.0.1" in text_of(page)
    other = next(each for each in page.context["sessions"] if not each.is_this)
    here.post("/account/sessions/", {"session": str(other.id)})
    assert [is_in(there), is_in(phone)].count(True) == 1
    here.post("/account/sessions/", {"session": "others"})
    assert is_in(here) and not is_in(there) and not is_in(phone)


def test_nobody_ends_a_session_of_somebody_else(alice: Member) -> None:
    ben = make_member(alice.workspace, "Ben", role="rep")
    his = sign_in(ben)
    is_in(his)
    (session,) = his.get("/account/").context["sessions"]
    sign_in(alice).post("/account/sessions/", {"session": str(session.id)})
    assert is_in(his)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_a_device_is_named_so_that_one_recognises_it(user_agent: str, words: str) -> None:
    assert device(user_agent) == words


def test_a_workspace_that_asks_for_a_second_factor_opens_once_there_is_one(alice: Member) -> None:
    ben = make_member(alice.workspace, "Ben", role="rep")
    client = sign_in(ben)
    assert is_in(client)
    secret = with_app(alice)
    actions.change_sign_in(
        alice.workspace_id,
        requires="second_factor",
        tenants=[],
        proof=Proof(second_factor=True),
        actor=by(alice),
    )
    page = client.get("/inbox/", follow=True)
    assert "asks for a second factor" in text_of(page)
    confirmed(client)
    own = client.get("/account/app/").context["form"].secret
    client.post("/account/app/", {"code": code(own)})
    assert is_in(client)
    assert secret != own


def test_nobody_locks_himself_out(alice: Member) -> None:
    client = confirmed(sign_in(alice))
    for requires, words in (
        ("second_factor", "set up your own second factor"),
        ("single_sign_on", "sign in by single sign-on"),
    ):
        page = client.post("/settings/sign-in/", {"requires": requires, "tenants": ""})
        assert "lock yourself out" in text_of(page) and words in text_of(page)
    assert Workspace.objects.get(pk=alice.workspace_id).sign_in_requires == ""
    with_app(alice)
    client.post("/settings/sign-in/", {"requires": "second_factor", "tenants": ""})
    assert Workspace.objects.get(pk=alice.workspace_id).sign_in_requires == "second_factor"
    assert (
        rows(AuditEntry, alice.workspace_id, tag="workspace:sign-in")[0].detail["requires"] == "second_factor"
    )


def test_a_tenant_is_an_id(alice: Member, settings: Any) -> None:
    settings.GATEPOST_SIGN_IN_WITH_MICROSOFT = True
    page = confirmed(sign_in(alice)).post(
        "/settings/sign-in/", {"requires": "", "tenants": "northwind.example"}
    )
    assert "is no tenant id" in text_of(page)


def test_the_operator_lets_an_owner_in_again_who_lost_everything(alice: Member) -> None:
    with_app(alice)
    there = signed_in(alice)
    there.get("/account/")
    actions.change_sign_in(
        alice.workspace_id,
        requires="second_factor",
        tenants=[],
        proof=Proof(second_factor=True),
        actor=by(alice),
    )
    link = letters.password_link(actions.recover(alice.user.email))
    assert not is_in(there)
    client = Client()
    form = client.get(link.partition("localhost:8000")[2], follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert is_in(sign_in(alice, password=NEW))


def test_the_operator_recovers_nobody_who_is_not_there(db: None) -> None:
    with pytest.raises(BadInput, match="Nobody here signs in"):
        actions.recover("nobody@northwind.example")


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/sign-in/password/", "/account/", "/settings/members/", "/settings/sign-in/"]
)
def test_a_page_of_signing_in_runs_no_inline_script(alice: Member, path: str) -> None:
    client = confirmed(sign_in(alice)) if not path.startswith("/sign-in/") else Client()
    page = client.get(path)
    assert page.status_code == 200
    inline = re.findall(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\bstyle=|(?<![\w-])on\w+=",
        page.content.decode(),
    )
    assert inline == [] and "unsafe" not in page["Content-Security-Policy"]


def test_the_letter_of_a_sign_in_leaves_for_somebody_who_belongs_somewhere_only(
    alice: Member, mailoutbox: Any
) -> None:
    ben = make_member(alice.workspace, "Ben", role="rep")
    actions.remove_member(ben.pk, heir_id=None, by=alice, actor=by(alice))
    Client().post("/sign-in/password/", {"email": ben.user.email})
    assert queued() == []
