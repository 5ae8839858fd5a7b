"""Data is kept only while the account is active: what its time has passed is removed by the worker, by itself."""

from datetime import timedelta

from gatepost.erasure.models import Erasure
from gatepost.mailboxes.models import Mailbox
from gatepost.outbox.models import Message
from tests.journeys.standing import until
from tests.journeys.story import Story

from .surfaces import kept_keys


def test_a_disconnected_mailbox_is_erased_when_the_time_that_was_chosen_is_over(story: Story) -> None:
    petra = story.prospect()
    story.enrol(petra)
    story.settle()
    mailbox = story.mailbox
    page = story.browser.open(f"{story.stand.url}/privacy/kept/")
    page.press("Save", disconnected="2")
    story.browser.open(f"{story.stand.url}/mailboxes/{mailbox.pk}/disconnect/").press("Disconnect")
    story.wait(timedelta(days=1))
    assert story.rows(Message) and kept_keys(story.stand.keystore, f"mailbox:{mailbox.pk}")
    story.stand.advance(timedelta(days=1, hours=7))
    until(lambda: bool(story.rows(Erasure, finished_at__isnull=False)), "the mailbox is erased")
    assert not story.rows(Mailbox) and not story.rows(Message)
    assert not kept_keys(story.stand.keystore, f"mailbox:{mailbox.pk}")
    assert "Erased" in story.browser.open(f"{story.stand.url}/privacy/erased/").text
