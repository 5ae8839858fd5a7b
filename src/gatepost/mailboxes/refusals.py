"""Why a mailbox could not be connected, in words for whoever can act: the rep, IT, or whoever runs this Gatepost."""

import re
from dataclasses import dataclass

from gatepost.errors import Conflict, Who
from gatepost.graph import aadsts
from gatepost.graph.errors import (
    ApprovalNeeded,
    GraphError,
    MailboxUnusable,
    ReconnectNeeded,
    RegistrationWrong,
    TryLater,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What happened, what to do, and who does it. Where that is not the rep, he gets it as a text to forward."""

    title: str
    happened: str
    do: str
    who: Who = "rep"
    code: str = ""


# Accounts that sign in well, and still cannot be connected here; by the names of rules.identity_problem.
IDENTITIES = {
    "personal": Refusal(
        "This is a personal account",
        "Outlook.com, Hotmail and Live accounts belong to a person, not to an organisation. Nothing was connected.",
        "Sign in with the account of your organisation, work or school as Microsoft calls it.",
    ),
    "guest": Refusal(
        "This account is a guest there",
        "You signed in to an organisation that has you as a guest. A guest has no mailbox of its own in it. "
        "Nothing was connected.",
        "Sign in with an account that the organisation itself gave you. If your mailbox is in another organisation, it "
        "takes a Gatepost that lets that one in.",
    ),
    "other_account": Refusal(
        "Another account signed in",
        "It is not the account of the mailbox to connect again. Nothing was connected or changed.",
        "Sign in with the account of that mailbox, or add this one as a new mailbox.",
    ),
    "other_workspace": Refusal(
        "This mailbox belongs to another workspace",
        "It is known in another workspace of this Gatepost, and belongs to only one at a time. Nothing was connected.",
        "Connect another mailbox; or have an administrator of that workspace erase it there first.",
    ),
    "colleague": Refusal(
        "A colleague connected this mailbox already",
        "It is in use in this workspace under somebody else's name. Nothing was changed.",
        "Ask him to disconnect it first, or connect a mailbox of your own.",
    ),
    "same_moment": Refusal(
        "Somebody connected this mailbox at the same moment",
        "Nothing was changed by you.",
        "Look at the list of mailboxes.",
    ),
    "unlicensed": Refusal(
        "This account has no mailbox",
        "The sign-in was right, but Microsoft says that the account has no mailbox, and it has no licence. "
        "Nothing was connected.",
        "Give the account a licence that contains Exchange Online (Microsoft 365 admin center, Users, Licences). The "
        "mailbox is there some minutes later. Shared mailboxes: connect the mailbox of a person instead.",
        "it",
    ),
    "elsewhere": Refusal(
        "The mailbox is not at Microsoft 365",
        "The sign-in was right and the account has a licence, but Microsoft says that its mailbox is on your company's own "
        "servers, or was switched off. Nothing was connected.",
        "Move the mailbox to Exchange Online, or switch it on again; or choose an account whose mailbox is there.",
        "it",
    ),
}  # fmt: skip

TITLES: dict[Who, str] = {
    "wait": "Microsoft does not answer just now",
    "rep": "Microsoft refused the sign-in",
    "it": "Your organisation does not allow it yet",
    "operator": "Gatepost itself must be corrected",
    "us": "Gatepost made a mistake",
}
WORDS_OF_OURS = {
    "nonce": "Microsoft's answer belongs to another sign-in.",
    "state_mismatch": "Microsoft's answer belongs to another sign-in.",
    "id_token": "What Microsoft said about the account did not pass the checks.",
}
LOST = Refusal(
    "This sign-in cannot be finished",
    "It was begun in another browser, is already finished, or took too long. Nothing was connected.",
    "Start again with “Add mailbox”.",
)
GIVEN_UP = Refusal(
    "This was given up",
    "You gave this up, or it was kept for 30 days. Nothing was connected.",
    "Start again with “Add mailbox”.",
)
# The kind of an error stands for OAuth's word, where its number is not known.
WORDS: tuple[tuple[type[GraphError], str], ...] = (
    (RegistrationWrong, "invalid_client"),
    (ApprovalNeeded, "access_denied"),
    (TryLater, "temporarily_unavailable"),
    (ReconnectNeeded, "interaction_required"),
)


def of_identity(problem: str) -> Refusal:
    return IDENTITIES[problem]


def of_conflict(error: Conflict) -> Refusal:
    return Refusal("This mailbox cannot be connected here", error.message, "Connect another one, or wait.")


def of_number(number: int) -> Refusal:
    """What an AADSTS number means that somebody read on Microsoft's page."""
    found = aadsts.meaning(number)
    return Refusal(TITLES[found.who], found.happened, found.do, found.who, f"AADSTS{number}")


def of_error(error: GraphError) -> Refusal:
    """What to tell the rep about an error of graph.errors."""
    if isinstance(error, MailboxUnusable):
        return IDENTITIES["unlicensed"]
    if error.code in WORDS_OF_OURS:
        return Refusal(TITLES["rep"], f"{WORDS_OF_OURS[error.code]} Nothing was connected.", aadsts.TRY_AGAIN)
    number = re.fullmatch(r"AADSTS(\d+)", error.code)
    word = next((word for kind, word in WORDS if isinstance(error, kind)), error.code)
    found = aadsts.meaning(int(number[1]) if number else None, word)
    return Refusal(
        TITLES[found.who], f"{found.happened} Nothing was connected.", found.do, found.who, error.code
    )
