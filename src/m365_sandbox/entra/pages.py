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
input[type=email],textarea{font:inherit;width:100%;padding:8px;border:1px solid var(--line);background:none;
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
    request: str,
    user: User,
    app: App,
    tenant: Tenant,
    scopes: list[str],
    *,
    organisation_only: bool,
) -> str:
    """The consent page; an administrator sees the checkbox for the whole organisation."""
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
        if user.role == "admin" and not organisation_only
        else ""
    )
    heading = "Permissions requested" + (" - review for your organization" if organisation_only else "")
    return page(
        "Permissions requested",
        f'<p class="soft">{escape(user.address)}</p><h1>{heading}</h1>'
        f'<h2>{escape(app.name)}</h2><p class="soft">{publisher}</p>'
        f"<p>This app would like to:</p>{rows}"
        f'<form method="post" action="{escape(action)}" id="consent">'
        f"{_hidden({'request': request, 'account': user.address})}{whole}"
        f'<p class="soft">Accepting these permissions means that you allow this app to use your data as specified '
        f"in its terms of service and privacy statement. {escape(tenant.name)} · {escape(tenant.domain)}</p>"
        '<div class="row"><button name="decision" value="cancel">Cancel</button>'
        '<button class="go" name="decision" value="accept">Accept</button></div></form>',
    )


def need_admin_approval(sign_in_action: str, cancel_action: str, request: str, user: User, app: App) -> str:
    return page(
        "Need admin approval",
        f'<p class="soft">{escape(user.address)}</p><h1>Need admin approval</h1><h2>{escape(app.name)}</h2>'
        f"<p>{escape(app.name)} needs permission to access resources in your organization that only an admin "
        "can grant. Please ask an admin to grant permission to this app before you can use it.</p>"
        f'<form method="post" action="{escape(sign_in_action)}" id="admin">{_hidden({"request": request})}'
        "<p>Have an admin account? <button>Sign in with that account</button></p></form>"
        f'<form method="post" action="{escape(cancel_action)}" id="return">'
        f"{_hidden({'request': request, 'account': user.address})}"
        '<p><button name="decision" value="return">'
        "Return to the application without granting consent</button></p>"
        '</form><p class="soft">AADSTS90094</p>',
    )


def approval_required(action: str, request: str, user: User, app: App) -> str:
    return page(
        "Approval required",
        f'<p class="soft">{escape(user.address)}</p><h1>Approval required</h1><h2>{escape(app.name)}</h2>'
        "<p>This app requires your admin's approval. Enter a justification for requesting this app.</p>"
        f'<form method="post" action="{escape(action)}" id="approval">'
        f"{_hidden({'request': request, 'account': user.address})}"
        '<label>Justification <textarea name="justification" rows="3" required></textarea></label>'
        '<div class="row"><button class="go">Request approval</button></div></form>'
        '<p class="soft">AADSTS90095</p>',
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
