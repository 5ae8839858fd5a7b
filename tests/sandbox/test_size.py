"""Many messages cost little: they lie in the database, and only what is in use is in memory."""

import gc
from pathlib import Path

from m365_sandbox import crowd
from m365_sandbox.app import create_app
from m365_sandbox.entities import Message
from m365_sandbox.store import Store

from .conftest import Stage


def in_memory() -> int:
    gc.collect()
    return sum(type(thing) is Message for thing in gc.get_objects())


def test_messages_that_nobody_holds_are_not_in_memory() -> None:
    sandbox = create_app(world={"users": []}, store=Store()).state.sandbox
    before = in_memory()
    crowd.fill(sandbox, mailboxes=5, messages=1000)

    assert (len(sandbox.store.messages), in_memory() - before) == (1000, 0)


def test_who_asks_for_the_same_message_gets_the_same_one() -> None:
    sandbox = create_app(world={"users": []}, store=Store()).state.sandbox
    crowd.fill(sandbox, mailboxes=1, messages=3)
    inbox = f"{sandbox.user(crowd.address(0)).id}.inbox"
    newest = next(sandbox.store.newest_first(inbox))
    sandbox.store.change_message(newest, subject="changed")

    assert sandbox.store.message_by_id(newest.id) is newest
    assert [m.subject for m in sandbox.store.newest_first(inbox)][0] == "changed"


def test_what_changes_after_a_question_is_kept_as_well(tmp_path: Path) -> None:
    sandbox = create_app(world={"users": []}, store=Store(tmp_path / "sandbox.db")).state.sandbox
    crowd.fill(sandbox, mailboxes=1, messages=1)
    [message] = sandbox.store.messages.values()
    sandbox.store.change_message(message, subject="first")
    assert sandbox.store.by_internet_id(message.mailbox, message.internet_id) == [message]
    message.subject = "second"
    sandbox.store.close()

    [again] = Store(tmp_path / "sandbox.db").messages.values()
    assert again.subject == "second"


def test_pages_of_a_large_mailbox_follow_each_other(stage: Stage) -> None:
    store = Store()
    crowd.fill(create_app(world={"users": []}, store=store).state.sandbox, mailboxes=2, messages=700)
    with stage.with_app(store=store) as served:
        mailbox = served.sign_in(crowd.address(1))
        for path in ("/me/messages", "/me/mailFolders/inbox/messages"):
            found, link = [], f"{path}?$top=100&$select=receivedDateTime"
            while link:
                page = mailbox.get(link).json
                found += [message["receivedDateTime"] for message in page["value"]]
                link = page.get("@odata.nextLink", "")
            assert len(found) == 350 and found == sorted(found, reverse=True)
