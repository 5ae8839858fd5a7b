import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from gatepost.errors import BadInput
from gatepost.web import failures
from gatepost.web.frame import PLACES
from tests.makers import (
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
)
from tests.pages import make_meeting, make_message, make_reply, signed_in, text_of

LISTS = (
    "/inbox/",
    "/sequences/",
    "/contacts/",
    "/outbox/",
    "/meetings/",
    "/reports/",
    "/mailboxes/",
    "/privacy/",
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.path)
def test_nobody_sees_a_page_without_signing_in(place: Any, db: None) -> None:
    response = Client().get(place.path)
    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={place.path}"


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_page_says_what_will_be_there(path: str, db: None) -> None:
    response = signed_in(make_member(make_workspace())).get(path)
    assert response.status_code == 200
    assert 'class="empty"' in response.content.decode()


@pytest.mark.parametrize("path", [*LISTS, "/settings/"])
def test_a_page_holds_no_inline_script_or_style(path: str, db: None) -> None:
    page = signed_in(make_member(make_workspace())).get(path)
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page.content.decode()) == []
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
    assert "unsafe" not in page["Content-Security-Policy"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_the_database_no_more_often_when_it_is_longer(
    path: str, db: None, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    alice = make_member(make_workspace())
    mailbox, sequence = make_mailbox(alice), make_sequence(alice)

    def one_more() -> None:
        enrolment = make_enrolment(sequence, make_contact(alice.workspace), mailbox)
        message = make_message(enrolment)
        make_reply(message)
        make_meeting(enrolment, brief="Petra Quandt, Contoso")

    client = signed_in(alice)
    one_more()
    with django_assert_max_num_queries(100) as first:
        client.get(path)
    for _ in range(4):
        one_more()
    with django_assert_max_num_queries(len(first.captured_queries)):
        assert client.get(path).status_code == 200


def test_an_error_of_ours_says_what_to_do_and_leads_back(rf: Any) -> None:
    request = rf.get("/contacts/new/", HTTP_REFERER="http://testserver/contacts/?search=ana")
    shown = failures.FailureMiddleware(lambda _: None).process_exception(
        request, BadInput("The name is missing.")
    )
    assert shown.status_code == 400
    assert "The name is missing." in text_of(shown)
    assert 'href="/contacts/?search=ana"' in shown.content.decode()


def test_a_link_back_never_leads_to_another_site(rf: Any) -> None:
    request = rf.get("/contacts/", HTTP_REFERER="https://evil.example/contacts/")
    assert failures.came_from(request) == "/"


def test_an_error_that_is_not_ours_is_left_to_django(rf: Any) -> None:
    assert failures.FailureMiddleware(lambda _: None).process_exception(rf.get("/"), ValueError()) is None


def test_a_page_that_does_not_exist_says_so(db: None) -> None:
    response = Client().get("/nothing-here/")
    assert response.status_code == 404
    assert "There is no such page" in text_of(response)


def test_the_bar_of_the_demo_shows_the_stand_in_and_its_clock(db: None, settings: Any) -> None:
    client = signed_in(make_member(make_workspace()))
    settings.GATEPOST_SANDBOX_URL = None
    assert "stand-in" not in client.get("/inbox/").content.decode()
    settings.GATEPOST_SANDBOX_URL = "http://127.0.0.1:8790"
    assert 'href="http://127.0.0.1:8790/_sandbox/"' in client.get("/inbox/").content.decode()


def test_a_page_loads_nothing_from_elsewhere(db: None) -> None:
    page = signed_in(make_member(make_workspace())).get("/inbox/")
    said = dict(part.split(maxsplit=1) for part in page["Content-Security-Policy"].split("; "))
    assert said.pop("form-action")  # where a form leads, which loads nothing
    assert {source for sources in said.values() for source in sources.split()} <= {
        "'none'",
        "'self'",
        "data:",
    }
    assert said["default-src"] == "'none'"
