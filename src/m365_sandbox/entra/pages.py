"""Microsoft's sign-in pages, in their order and words, under a banner that says they are not Microsoft's."""

from collections.abc import Iterable
from html import escape

from m365_sandbox.entities import App, Tenant, User
from m365_sandbox.permissions import ALL

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--soft:#616161;--paper:#fff;--ground:#eef1f4;--line:#d4d4d4;--go:#0067b8}
@media(prefers-color-scheme:dark){:root{--ink:#f3f3f3;--soft:#b5b5b5;--paper:#242424;--ground:#161616;--line:#4a4a4a;
--go:#0f6cbd}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;background:var(--ground);color:var(--ink);
font:15px/1.4 "Segoe UI",system-ui,sans-serif}
.banner{background:#ffb900;color:#1b1b1b;text-align:center;padding:8px 16px;font-weight:600}
main{width:min(440px,100% - 24px);margin:6vh auto 24px;background:var(--paper);padding:40px;
box-shadow:0 2px 6px #0003}
h1{font-size:24px;font-weight:600;margin:12px 0}h2{font-size:15px;margin:0}
.brand{color:var(--soft);font-weight:600;font-size:17px}.soft{color:var(--soft)}
form{margin:0}button{font:inherit;cursor:pointer;min-height:36px;padding:6px 20px;border:1px solid transparent;
background:#8883;color:inherit}button.go{background:var(--go);color:#fff}
button:focus-visible,a:focus-visible,summary:focus-visible{outline:2px solid currentColor;outline-offset:2px}
.account{display:block;width:100%;text-align:left;padding:12px 0;border:0;border-bottom:1px solid var(--line);
background:none}.account:hover{background:#8882}
.row{display:flex;gap:8px;justify-content:flex-end;margin-top:24px}
details{border-bottom:1px solid var(--line);padding:6px 0}summary{cursor:pointer}
input[type=email],input[type=password],textarea{font:inherit;width:100%;padding:8px;border:1px solid var(--line);background:none;
color:inherit}a{color:inherit}label{display:block;margin-top:14px}
"""


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><link rel='icon' href='data:,'><style>{_STYLE}</style></head><body>"
        '<div class="banner" role="note">Sandbox: this is not Microsoft</div>'
        f'<main><div class="brand">Stand-in for Microsoft</div>{body}</main></body></html>'
    )


def _hidden(fields: dict[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )


def pick_account(action: str, request: str, accounts: Iterable[User], *, hint: str = "") -> str:
    rows = "".join(
        f'<button class="account" name="account" value="{escape(user.address)}">'
        f'<strong>{escape(user.name)}</strong><br><span class="soft">{escape(user.address)}'
        f"{' · administrator' if user.role == 'admin' else ''}</span></button>"
        for user in accounts
    )
    return page(
        "Pick an account",
        f'<h1>Pick an account</h1><form method="post" action="{escape(action)}" id="pick">'
        f"{_hidden({'request': request})}{rows}</form>"
        f'<form method="post" action="{escape(action)}" id="other">{_hidden({"request": request})}'
        '<label>Use another account <input type="email" name="account" autocomplete="username" required '
        f'value="{escape(hint)}"></label><div class="row"><button class="go">Next</button></div></form>',
    )


def permissions_requested(
    action: str,
    fields: dict[str, str],
    user: User,
    app: App,
    tenant: Tenant,
    scopes: list[str],
    *,
    organisation_only: bool,
    may_approve: bool = False,
) -> str:
    """The consent page; who may approve for the whole organisation sees the checkbox for that, not ticked.

    Its blocks: Learn, application-consent-experience.
    """
    as_admin = organisation_only
    rows = "".join(
        f"<details><summary>{escape(ALL[s].admin_title if as_admin else ALL[s].user_title)}</summary>"
        f'<p class="soft">{escape(ALL[s].admin_text if as_admin else ALL[s].user_text)}</p></details>'
        for s in scopes
        if s != "email"
    )
    publisher = escape(app.publisher) if app.verified and app.publisher else "unverified"
    whole = (
        '<label><input type="checkbox" name="organization" value="1"> '
        "Consent on behalf of your organization</label>"
        if may_approve and not organisation_only
        else ""
    )
    risky = (
        "<p><strong>This app may be risky.</strong> Only continue if you trust it.</p>"
        if tenant.risky_app
        else ""
    )
    heading = "Permissions requested" + (" - review for your organization" if organisation_only else "")
    return page(
        "Permissions requested",
        f'<p class="soft">{escape(fields["account"])}</p><h1>{heading}</h1>'
        f'<h2>{escape(app.name)}</h2><p class="soft">{publisher}</p>{risky}'
        f"<p>This app would like to:</p>{rows}"
        f'<form method="post" action="{escape(action)}" id="consent">'
        f"{_hidden(fields)}{whole}"
        f'<p class="soft">Accepting these permissions means that you allow this app to use your data as specified '
        f"in its terms of service and privacy statement. {escape(tenant.name)} · {escape(tenant.domain)}. You can "
        "change these permissions at https://myapps.microsoft.com.</p>"
        '<div class="row"><button name="decision" value="cancel">Cancel</button>'
        '<button class="go" name="decision" value="accept">Accept</button></div></form>',
    )


def need_admin_approval(
    sign_in_action: str, cancel_action: str, fields: dict[str, str], user: User, app: App, code: int
) -> str:
    return page(
        "Need admin approval",
        f'<p class="soft">{escape(fields["account"])}</p><h1>Need admin approval</h1><h2>{escape(app.name)}</h2>'
        f"<p>{escape(app.name)} needs permission to access resources in your organization that only an admin "
        "can grant. Please ask an admin to grant permission to this app before you can use it.</p>"
        f'<form method="post" action="{escape(sign_in_action)}" id="admin">{_hidden({"request": fields["request"]})}'
        "<p>Have an admin account? <button>Sign in with that account</button></p></form>"
        f'<form method="post" action="{escape(cancel_action)}" id="return">'
        f"{_hidden(fields)}"
        '<p><button name="decision" value="return">'
        "Return to the application without granting consent</button></p>"
        f'</form><p class="soft">AADSTS{code}</p>',
    )


def approval_required(action: str, fields: dict[str, str], user: User, app: App, code: int) -> str:
    return page(
        "Approval required",
        f'<p class="soft">{escape(fields["account"])}</p><h1>Approval required</h1><h2>{escape(app.name)}</h2>'
        "<p>This app requires your admin's approval. Enter a justification for requesting this app.</p>"
        f'<form method="post" action="{escape(action)}" id="approval">'
        f"{_hidden(fields)}"
        '<label>Justification <textarea name="justification" rows="3" required></textarea></label>'
        '<div class="row"><button class="go">Request approval</button></div></form>'
        f'<p class="soft">AADSTS{code}</p>',
    )


def enter_password(action: str, request: str, user: User, wrong: str) -> str:
    told = f'<p role="alert">{escape(wrong)}</p>' if wrong else ""
    return page(
        "Enter password",
        f'<p class="soft">{escape(user.address)}</p><h1>Enter password</h1>{told}'
        f'<form method="post" action="{escape(action)}" id="password">'
        f"{_hidden({'request': request, 'account': user.address})}"
        '<label>Password <input type="password" name="password" autocomplete="current-password" required></label>'
        '<div class="row"><button class="go">Sign in</button></div></form>',
    )


def second_factor(action: str, fields: dict[str, str], user: User) -> str:
    """To pass it, or to set it up for who has none."""
    title = "Approve sign in request" if user.mfa_enrolled else "More information required"
    text = (
        "Open your Authenticator app, and enter the number shown to sign in."
        if user.mfa_enrolled
        else "Your organization needs more information to keep your account secure."
    )
    return page(
        title,
        f'<p class="soft">{escape(fields["account"])}</p><h1>{title}</h1><p>{text}</p>'
        f'<form method="post" action="{escape(action)}" id="mfa">{_hidden(fields)}<div class="row">'
        '<button name="mfa" value="deny">I can\'t do this right now</button>'
        '<button class="go" name="mfa" value="approve">Done</button></div></form>',
    )


def review_list(action: str, reviewer: User, rows: list[dict[str, str]]) -> str:
    """A reviewer's list of requests: with buttons where something is left to decide."""
    items = "".join(
        f"<section><h2>{escape(row['app'])}</h2><p>{escape(row['user'])}: {escape(row['justification'])}</p>"
        f'<p class="soft">{escape(row["scopes"])}<br>{escape(row["state"])} · expires {escape(row["expires"])}</p>'
        + (_decision(action, reviewer, row["id"]) if row["state"] == "waiting" else "")
        + "</section>"
        for row in rows
    )
    return page(
        "Admin consent requests",
        f'<p class="soft">{escape(reviewer.address)} · {escape(reviewer.role)}</p><h1>Admin consent requests</h1>'
        f"{items or '<p>No requests.</p>'}",
    )


def choose_reviewer(action: str, reviewers: Iterable[User]) -> str:
    rows = "".join(
        f'<button class="account" name="reviewer" value="{escape(user.address)}">'
        f'<strong>{escape(user.name)}</strong><br><span class="soft">{escape(user.address)}</span></button>'
        for user in reviewers
    )
    return page(
        "Admin consent requests", f'<h1>Who reviews?</h1><form action="{escape(action)}">{rows}</form>'
    )


def _decision(action: str, reviewer: User, request: str) -> str:
    return (
        f'<form method="post" action="{escape(action)}" id="review">'
        f"{_hidden({'request': request, 'reviewer': reviewer.address})}<div class='row'>"
        '<button name="decision" value="deny">Deny</button>'
        '<button class="go" name="decision" value="approve">Approve</button></div></form>'
    )


def signed_out() -> str:
    return page(
        "You signed out of your account",
        "<h1>You signed out of your account</h1><p>It's a good idea to close all browser windows.</p>",
    )


def request_sent() -> str:
    return page(
        "Request sent",
        "<h1>Request sent</h1><p>Your request has been sent to your admin. You will be told by email when it has "
        "been reviewed. You can close this page.</p>",
    )


def trouble(title: str, text: str) -> str:
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")


def form_post(redirect_uri: str, fields: dict[str, str]) -> str:
    """Carries the answer to the app by POST, as response_mode=form_post asks for."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Working...</title></head>'
        f'<body><form method="POST" name="hiddenform" action="{escape(redirect_uri)}">{_hidden(fields)}'
        "<noscript><p>Script is disabled. Click Submit to continue.</p></noscript>"
        '<input type="submit" value="Submit"></form><script>document.forms[0].submit()</script></body></html>'
    )
