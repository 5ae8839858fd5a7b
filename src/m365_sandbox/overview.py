"""The sandbox's own page: time, mailboxes, people, requests, switches."""

from html import escape
from typing import Any

from m365_sandbox.sandbox import Sandbox

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1f23;--soft:#5b636d;--paper:#fff;--ground:#f5f6f8;--line:#dfe3e8;--go:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a5adb8;--paper:#1d2024;--ground:#131518;--line:#343a42;
--go:#7ab4f5}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
header,main{max-width:1080px;margin:0 auto;padding:16px}h1{font-size:22px;margin:0}h2{font-size:16px;margin:0 0 8px}
section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:16px;margin:0 0 16px;
overflow-x:auto}.soft{color:var(--soft)}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}td.n{font-variant-numeric:tabular-nums}code{font-size:13px;word-break:break-all}
form{display:inline}button{font:inherit;padding:6px 12px;border:1px solid var(--line);border-radius:6px;
background:var(--ground);color:inherit;cursor:pointer}.time{font-size:26px;font-variant-numeric:tabular-nums}
a{color:var(--go)}
"""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><link rel='icon' href='data:,'><style>{_STYLE}</style></head>"
        f"<body><header><h1>{escape(title)}</h1>"
        '<p class="soft">A stand-in for Microsoft 365. Nothing here is Microsoft, nobody is real.</p></header>'
        f"<main>{body}</main></body></html>"
    )


def _button(action: str, label: str, **fields: str) -> str:
    hidden = "".join(f'<input type="hidden" name="{k}" value="{escape(v)}">' for k, v in fields.items())
    return f'<form method="post" action="{action}">{hidden}<button>{escape(label)}</button></form> '


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def page(sandbox: Sandbox, clock: dict[str, Any]) -> str:
    return _page(
        "Sandbox",
        f'<section aria-label="Clock"><h2>Clock</h2><p class="time">{escape(clock["now"].replace("T", " "))}</p>'
        f'<p class="soft">{clock["rate"]:g} times as fast as real time · {clock["pending"]} things to come'
        f"{', the next at ' + escape(clock['next_event_at'].replace('T', ' ')) if clock['next_event_at'] else ''}</p>"
        + _button("/_sandbox/clock", "Stop", rate="0")
        + _button("/_sandbox/clock", "Real time", rate="1")
        + _button("/_sandbox/clock", "× 60", rate="60")
        + _button("/_sandbox/clock", "× 600", rate="600")
        + _button("/_sandbox/clock", "+ 1 hour", advance_seconds="3600")
        + _button("/_sandbox/clock", "+ 1 day", advance_seconds="86400")
        + "</section>"
        + _mailboxes(sandbox)
        + _people(sandbox)
        + _requests(sandbox)
        + _switches(sandbox)
        + f'<section><h2>Administrators</h2><p><a href="/_sandbox/approvals">Requests for approval</a> '
        f"({sum(1 for r in sandbox.store.consent_requests.values() if r.state == 'waiting')} waiting)</p></section>",
    )


def _mailboxes(sandbox: Sandbox) -> str:
    store = sandbox.store
    rows = []
    for user in store.users.values():
        if user.person is not None or user.kind == "prospect":
            continue
        count = [str(store.count(f"{user.id}.{name}")) for name in ("inbox", "drafts", "sentitems")]
        role = user.role if user.role == "admin" else user.kind
        rows.append(
            [
                escape(user.name),
                escape(user.address),
                escape(role),
                *count,
                str(len(store.events_of(user.id))),
            ]
        )
    heads = ["Name", "Address", "Role", "Inbox", "Drafts", "Sent", "Events"]
    return f"<section><h2>Mailboxes</h2>{_table(heads, rows)}</section>"


def _people(sandbox: Sandbox) -> str:
    store = sandbox.store
    coming: dict[str, list[str]] = {}
    for action in sorted(store.actions.values(), key=lambda action: action.due):
        if action.kind == "person":
            coming.setdefault(action.payload["user"], []).append(action.payload["type"])
    rows = []
    for user in store.users.values():
        if user.person is not None:
            behaviour = str(user.person.get("behaviour", ""))
            plans = ", ".join(coming.get(user.id, []))
            rows.append([escape(user.name), escape(user.address), escape(behaviour), escape(plans)])
    return f"<section><h2>People</h2>{_table(['Name', 'Address', 'Nature', 'Will do'], rows)}</section>"


def _requests(sandbox: Sandbox) -> str:
    last = sandbox.store.last_logged()
    entries = reversed(sandbox.store.logged(max(0, last - 25), 25))
    rows = [
        [
            str(e["n"]), escape(e["method"]), f"<code>{escape(e['path'][:120])}</code>", str(e["status"]),
            escape(e["user"]), str(len(e["items"])),
        ]
        for e in entries
    ]  # fmt: skip
    heads = ["#", "Method", "Path", "Status", "Mailbox", "Items"]
    return f"<section><h2>Latest requests</h2>{_table(heads, rows)}</section>"


def _switches(sandbox: Sandbox) -> str:
    rows = [[escape(name), escape(str(value))] for name, value in sandbox.switches.to_json().items()]
    return f"<section><h2>Switches</h2>{_table(['Switch', 'Setting'], rows)}</section>"


def approvals(requests: list[dict[str, Any]]) -> str:
    rows = []
    for request in requests:
        buttons = escape(request["state"])
        if request["state"] == "waiting":
            buttons = "".join(
                _button("/_sandbox/approvals", label, request=request["id"], decision=decision)
                for label, decision in (("Approve", "approve"), ("Deny", "deny"))
            )
        rows.append(
            [
                escape(request["user"]), escape(request["app"]), escape(", ".join(request["scopes"])),
                escape(request["justification"]), buttons,
            ]
        )  # fmt: skip
    table = _table(["User", "App", "Permissions", "Justification", "Decision"], rows)
    empty = "<p>When a user asks for an administrator's approval, the request is here.</p>"
    return _page("Requests for approval", f"<section>{table if rows else empty}</section>")
