"""Microsoft's AADSTS numbers in plain words, each for the person who can act.

Decisions go by OAuth's `error` (oauth.py): Microsoft says not to code against these numbers, which come and go. They
serve for words, and a number that is not here is explained by its `error`. Most of them are only shown on Microsoft's
own page, and Gatepost never hears of them: the waiting room lets a rep look up what he read there.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from dataclasses import dataclass

from gatepost.errors import Who

TRY_AGAIN = "Start again with “Try again”."
SIGN_IN_AGAIN = "Sign in with Microsoft again."
FIND_THE_POLICY = (
    "In the Entra admin center, open the sign-in log of this user: it names the Conditional Access policy. Then except "
    "this app, or the people who use it, from that policy, or tell them on which device or network it is allowed."
)
ASK_A_FEW_MINUTES_LATER = "Try again in a few minutes."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a number means: who can act, what happened, and what that person does."""

    who: Who
    happened: str
    do: str


def _rep(happened: str, do: str = SIGN_IN_AGAIN) -> Meaning:
    return Meaning("rep", happened, do)


def _it(happened: str, do: str) -> Meaning:
    return Meaning("it", happened, do)


def _operator(happened: str, do: str) -> Meaning:
    return Meaning("operator", happened, do)


def _us(happened: str) -> Meaning:
    return Meaning(
        "us", happened, "Tell whoever runs Gatepost, with this number. It is a mistake in the program."
    )


APPROVE = "An administrator opens the page for IT and approves there, for everybody or for one group."
NEW_SECRET = (
    "Make a new client secret in the app registration, and set its Value, not its ID, as GATEPOST_CLIENT_SECRET "
    "(docs/how-to/register-the-app.md). Mailboxes then go on by themselves."
)
BLOCKED = "Your organisation's rules do not let this sign-in through."

MEANINGS: dict[int, Meaning] = {
    # The account
    16000: _rep("Several accounts are signed in at Microsoft, and it could not tell which one you mean.",
                "Start again, and choose the account on Microsoft's page."),
    50020: _rep("This account does not belong to the organisation whose mailboxes may be connected here.",
                "Sign out at Microsoft, and sign in with the account of your organisation."),
    500208: _rep("This is a personal Microsoft account. Only accounts of an organisation have a mailbox to connect.",
                 "Sign in with the account of your organisation."),
    50034: _rep("Microsoft knows no such account in this organisation.",
                "Look for a slip in the address, or choose another account."),
    50053: _rep("Microsoft locked the account after too many wrong passwords.",
                "Wait until Microsoft lets you in again, or ask your IT to reset the password."),
    50055: _rep("The account's password has expired.", "Set a new one on Microsoft's page, then start again."),
    50057: _it("The account is switched off. That is also so for the account behind every shared mailbox.",
               "Switch the account on again in the Entra admin center. For a shared mailbox: give it a licence and a "
               "sign-in of its own, or let somebody connect their own mailbox instead."),
    50058: _rep("Nobody is signed in at Microsoft in this browser."),
    50126: _rep("The address or the password was wrong.", "Type it again on Microsoft's page."),
    50132: _rep("The password was changed or has expired since you signed in."),
    50133: _rep("The password was changed or has expired since you signed in."),
    50173: _rep("Your sign-in was ended, usually by a new password or by an administrator."),
    # A second proof, and what an organisation demands
    50072: _rep("Your organisation asks for a second proof, and this account has none yet.",
                "Set one up on Microsoft's page, then start again."),
    50074: _rep("The second proof was asked for and not given.", "Sign in again, and confirm it on your phone."),
    50076: _rep("Your organisation asks for a second proof, for example because you are in a new place."),
    50078: _rep("The second proof that you gave is too old for your organisation's rules."),
    50079: _rep("Your organisation asks for a second proof, and this account has none yet.",
                "Set one up on Microsoft's page, then start again."),
    50158: _rep("Your organisation asks for a further check outside Microsoft, and it was not passed."),
    50097: _it("Your organisation lets only known devices in, and this program signs in without one.",
               FIND_THE_POLICY),
    50131: _it("Microsoft took this sign-in for suspicious, or the device for unsafe.", FIND_THE_POLICY),
    53000: _it("Your organisation lets only devices in that follow its rules; this one does not.", FIND_THE_POLICY),
    53001: _it("Your organisation lets only its own devices in; this one is not.", FIND_THE_POLICY),
    53003: _it(f"{BLOCKED} Trying again does not help.", FIND_THE_POLICY),
    530032: _it(f"{BLOCKED} Trying again does not help.", FIND_THE_POLICY),
    530035: _it("Your organisation's security defaults do not let this sign-in through.",
                "Look at the sign-in log of this user in the Entra admin center. Where security defaults are too coarse, "
                "Conditional Access can except this app."),
    70043: _rep("Your organisation asks everybody to sign in anew after a certain time. That will happen again.",
                "Sign in with Microsoft again. Your IT can except this app from the sign-in frequency."),
    # Permission
    50105: _it("The app is approved, but only for people whom your IT has put on its list, and you are not on it.",
               "Entra admin center, Enterprise applications, this app, Users and groups: add the person or a group."),
    65001: _it("Nobody has approved the permissions yet, or they were withdrawn.", APPROVE),
    65004: _rep("Permission was not given: you cancelled, or an administrator must approve first.",
                "If you cancelled, start again and press Accept. Otherwise forward the text to your IT."),
    90093: _it("Only an administrator may give these permissions.", APPROVE),
    90094: _it("Only an administrator may give these permissions.", APPROVE),
    90095: _it("Only an administrator may give these permissions. Microsoft lets you send a request from its page.",
               "Review the request under Enterprise applications, Admin consent requests; or open the page for IT."),
    900941: _it("Only an administrator may give these permissions: Microsoft takes the app for risky, since its publisher "
                "is not verified.", f"{APPROVE} Whoever runs Gatepost can have the publisher verified at Microsoft."),
    900981: _it("Only an administrator may give these permissions: Microsoft takes the app for risky, since its publisher "
                "is not verified.",
                "Review the request under Enterprise applications, Admin consent requests; or open the page for IT."),
    500011: _it("Your organisation has no Microsoft Graph, through which Gatepost reaches mailboxes, or switched it off.",
                "Entra admin center, Enterprise applications, Microsoft Graph: switch it on for sign-in."),
    # What was kept from before has run out
    70000: _rep("What Gatepost kept of your sign-in is not valid any more."),
    70008: _rep("What Gatepost kept of your sign-in has expired or was withdrawn."),
    700082: _rep("What Gatepost kept of your sign-in expired, since it was not used for 90 days."),
    54005: _rep("This way back from Microsoft was used already.", TRY_AGAIN),
    501481: _rep("This way back from Microsoft does not belong to the sign-in that was begun.", TRY_AGAIN),
    700005: _rep("This way back from Microsoft belongs to another organisation.", TRY_AGAIN),
    # The app registration
    50011: _operator("Microsoft does not know the address to send you back to.",
                     "Add the redirect address that `gatepost doctor` prints to the app registration, letter by letter."),
    50194: _operator("The app registration is for one organisation only, and Gatepost asks for any.",
                     "Set GATEPOST_TENANT to the directory (tenant) ID, or let the registration serve several organisations."),
    65005: _operator("The app registration lists permissions that do not exist.",
                     "Correct its API permissions (docs/how-to/register-the-app.md)."),
    700016: _operator("Microsoft finds no app of this id in this organisation.",
                      "Compare GATEPOST_CLIENT_ID and GATEPOST_TENANT with the app registration."),
    7000112: _operator("The app registration is switched off.",
                       "Switch it on: Entra admin center, Enterprise applications, this app, Properties."),
    7000215: _operator("Microsoft refuses the client secret.", NEW_SECRET),
    7000218: _operator("Microsoft was given no client secret.", NEW_SECRET),
    7000222: _operator("The client secret has expired.", NEW_SECRET),
    700027: _operator("Microsoft refuses the certificate of this Gatepost.",
                      "Compare it with the one in the app registration, and its dates with today."),
    700084: _operator("The redirect address is registered for a single-page app, which may stay signed in for a day only.",
                      "Register it under the platform Web instead."),
    90002: _operator("Microsoft knows no organisation of this name.", "Correct GATEPOST_TENANT."),
    9002332: _operator("The app registration does not take this kind of account.",
                       "Look at its supported account types, and at GATEPOST_TENANT."),
    700054: _operator("The app registration does not allow this kind of sign-in.",
                      "Register the redirect address under the platform Web."),
    # Microsoft is busy
    90033: Meaning("wait", "Microsoft's sign-in has a fault that passes.", ASK_A_FEW_MINUTES_LATER),
    90055: Meaning("wait", "Your organisation asks Microsoft's sign-in too much at the moment.", ASK_A_FEW_MINUTES_LATER),
    90090: Meaning("wait", "Microsoft could not note the permission just now.", ASK_A_FEW_MINUTES_LATER),
    90091: Meaning("wait", "Microsoft could not note the permission just now.", ASK_A_FEW_MINUTES_LATER),
    # Gatepost asked wrongly
    50027: _us("Microsoft could not read what Gatepost sent."),
    50147: _us("Microsoft missed a part of the sign-in."),
    50196: _us("Gatepost asked Microsoft the same again and again."),
    70003: _us("Microsoft does not know what Gatepost asked for."),
    70005: _us("Microsoft does not know what Gatepost asked for."),
    70007: _us("Microsoft does not know what Gatepost asked for."),
    70011: _us("Gatepost asked for a permission that Microsoft does not know."),
    90014: _us("Microsoft missed a part of what Gatepost sent."),
    90023: _us("Microsoft could not read what Gatepost sent."),
    900144: _us("Microsoft missed a part of what Gatepost sent."),
    9002313: _us("Microsoft could not read what Gatepost sent."),
}  # fmt: skip

# Where a number is not known, OAuth's word still says who can act.
BY_ERROR: dict[str, Meaning] = {
    "access_denied": MEANINGS[65004],
    "consent_required": MEANINGS[65001],
    "interaction_required": _rep("Microsoft wants to ask you something first."),
    "login_required": MEANINGS[50058],
    "invalid_grant": MEANINGS[70000],
    "invalid_client": _operator("Microsoft refuses the app registration or its secret.", NEW_SECRET),
    "unauthorized_client": MEANINGS[700016],
    "invalid_resource": MEANINGS[500011],
    "temporarily_unavailable": MEANINGS[90033],
    "server_error": MEANINGS[90033],
    "invalid_request": MEANINGS[9002313],
    "invalid_scope": MEANINGS[70011],
    "unsupported_response_type": MEANINGS[70005],
    "unsupported_grant_type": MEANINGS[70003],
}
UNKNOWN = _rep(
    "Microsoft refused, with a number that Gatepost does not know.",
    "Start again. If it happens again, show the number to your IT: Microsoft's sign-in log explains it.",
)


def meaning(code: int | None, error: str = "") -> Meaning:
    """What Microsoft's number means, else what OAuth's word does, else that nobody knows."""
    if code is not None and code in MEANINGS:
        return MEANINGS[code]
    return BY_ERROR.get(error, UNKNOWN)
