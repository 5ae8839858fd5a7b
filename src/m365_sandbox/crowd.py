"""Many mailboxes full of mail in which nobody lives: for measuring, and for clients that must cope with much.

Two of five answer something of somebody else's; one of a hundred answers `<asked-N@outreach.example>`, N being its number.
"""

import random
from itertools import cycle

from m365_sandbox import ids
from m365_sandbox.mail import Letter, keep
from m365_sandbox.sandbox import Sandbox
from m365_sandbox.world import add_tenant, add_user

DOMAIN = "crowd.example"
AT_ONCE = 5000
_SECONDS_BETWEEN = 1800
_WORDS = [
    "the",
    "invoice",
    "for",
    "last",
    "month",
    "is",
    "attached",
    "please",
    "let",
    "me",
    "know",
    "whether",
    "that",
    "suits",
    "you",
    "and",
    "when",
    "we",
    "could",
    "talk",
    "about",
    "the",
    "plan",
    "meeting",
    "notes",
    "from",
    "Tuesday",
    "are",
    "in",
    "the",
    "folder",
    "thanks",
    "for",
    "sending",
    "them",
    "over",
    "so",
    "quickly",
    "I",
    "will",
    "come",
    "back",
    "to",
    "you",
    "once",
    "our",
    "team",
    "has",
    "read",
    "them",
    "regards",
]


def address(number: int) -> str:
    return f"user{number:04d}@{DOMAIN}"


def fill(sandbox: Sandbox, *, mailboxes: int, messages: int) -> None:
    """So many mailboxes, and so many messages spread over their Inboxes, about 2 KB of text each."""
    add_tenant(sandbox, {"domain": DOMAIN, "name": "Crowd"})
    users = [
        add_user(sandbox, {"address": address(n), "name": f"User {n}", "kind": "crowd"})
        for n in range(mailboxes)
    ]
    chance, start = random.Random(sandbox.seed), sandbox.now()
    texts = [" ".join(chance.choices(_WORDS, k=350)) for _ in range(200)]
    with sandbox.store.messages.many_at_once():
        for number, user in zip(range(messages), cycle(users), strict=False):
            folder = sandbox.store.folder(user.id, "inbox")
            assert folder is not None
            sender = chance.randrange(mailboxes)
            letter = Letter(
                sender=[f"User {sender}", address(sender)], to=[[user.name, user.address]],
                subject=f"{chance.choice(_WORDS)} {chance.choice(_WORDS)} {number}", body=chance.choice(texts),
                headers=[["Received", f"from mail.{DOMAIN}"], ["X-Mailer", "crowd"], *_threading(number)],
            )  # fmt: skip
            at = start - _SECONDS_BETWEEN * (1 + (messages - number) / max(1, mailboxes))
            # What it cites does not lie here; looking for it without the indexes would take hours.
            conversation = ids.conversation_id()
            keep(
                sandbox, user, folder, letter, at=at, is_read=chance.random() < 0.8, conversation=conversation
            )  # fmt: skip
            if number % AT_ONCE == AT_ONCE - 1:
                sandbox.store.commit()
        sandbox.store.commit()


def answers_us(number: int) -> bool:
    """Whether this letter answers a mail of the program that is measured: one in each hundred, now here, now there."""
    return number % 100 == number // 100 * 37 % 100


def _threading(number: int) -> list[list[str]]:
    """The headers by which this letter answers another, if it does."""
    if answers_us(number):
        cited = f"<asked-{number}@outreach.example>"
    elif number % 5 in (1, 3):
        cited = f"<talk-{number // 7}@{DOMAIN}>"
    else:
        return []
    return [["In-Reply-To", cited], ["References", cited]]
