"""The sandbox's own page: time, mailboxes, people, faults, switches, snapshots, requests."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from html import escape
from typing import Any, Literal, get_args, get_origin, get_type_hints

from m365_sandbox.faults import ALTERED, INSTEAD, UNASKED, Rule
from m365_sandbox.people.person import Behaviour
from m365_sandbox.sandbox import Sandbox
from m365_sandbox.switches import Switches

MOST_ROWS = 200
LATEST_REQUESTS = 40

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1f23;--soft:#5b636d;--paper:#fff;--ground:#f4f5f7;--line:#dde1e6;--go:#0b5cad;
--bad:#b3261e;--good:#1c6b3a;--mark:#e8f0fa}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a5adb8;--paper:#1d2024;--ground:#131518;--line:#343a42;
--go:#7ab4f5;--bad:#f2887f;--good:#7fcf9b;--mark:#22303f}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
header,main{max-width:1180px;margin:0 auto;padding:16px}header{padding-bottom:0}h1{font-size:22px;margin:0}
h2{font-size:17px;margin:0 0 10px}h3{font-size:14px;margin:14px 0 4px;color:var(--soft)}p{margin:4px 0}
nav{display:flex;flex-wrap:wrap;gap:2px 14px}section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:16px;
margin:0 0 16px}.wide{overflow-x:auto}.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--good)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:5px 14px 5px 0;
border-bottom:1px solid var(--line);vertical-align:top}tr:last-child td{border-bottom:0}
th{color:var(--soft);font-weight:600;font-size:13px;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font-size:13px;word-break:break-word}form{display:inline-flex;flex-wrap:wrap;gap:6px;align-items:end;margin:0}
label{display:flex;flex-direction:column;font-size:13px;color:var(--soft);gap:2px}
button,select,input{font:inherit;font-size:14px;padding:5px 10px;border:1px solid var(--line);border-radius:6px;
background:var(--ground);color:var(--ink);max-width:100%}button{cursor:pointer}button:hover{border-color:var(--go)}
button[aria-pressed=true]{background:var(--mark);border-color:var(--go)}input[size]{width:auto}
:focus-visible{outline:2px solid var(--go);outline-offset:1px}.time{font-size:28px;font-variant-numeric:tabular-nums;
margin:0 0 2px}.row{display:flex;flex-wrap:wrap;gap:6px;margin-top:10px;align-items:end}a{color:var(--go)}
details summary{cursor:pointer;color:var(--go)}details[open] summary{margin-bottom:4px}td form{gap:4px;flex-wrap:nowrap}.name{white-space:nowrap;word-break:normal}
.changed{background:var(--mark);border-radius:4px;padding:0 5px;font-size:13px}
@media(max-width:640px){#switches td:last-child{min-width:260px}header,main{padding:10px}section{padding:12px}.time{font-size:22px}}
"""


def _page(title: str, body: str, links: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><link rel='icon' href='data:,'><style>{_STYLE}</style></head>"
        f"<body><header><h1>{escape(title)}</h1>"
        '<p class="soft">A stand-in for Microsoft 365. Nothing here is Microsoft, nobody is real.</p>'
        f"{links}</header><main>{body}</main></body></html>"
    )


def _section(name: str, title: str, body: str, note: str = "") -> str:
    note = f'<p class="soft">{note}</p>' if note else ""
    return f'<section id="{name}" aria-label="{escape(title)}"><h2>{escape(title)}</h2>{note}{body}</section>'


def _form(action: str, body: str, **fields: str) -> str:
    hidden = "".join(f'<input type="hidden" name="{k}" value="{escape(v)}">' for k, v in fields.items())
    return f'<form method="post" action="{action}">{hidden}{body}</form>'


def _button(action: str, label: str, *, pressed: bool | None = None, **fields: str) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return _form(action, f"<button{state}>{escape(label)}</button>", **fields)


def _choice(name: str, options: Iterable[Any], chosen: Any, *, label: str = "", title: str = "") -> str:
    made = "".join(
        f'<option value="{escape(str(o))}"{" selected" if o == chosen else ""}>{escape(str(o))}</option>'
        for o in options
    )
    select = f'<select name="{name}" aria-label="{escape(title or label or name)}">{made}</select>'
    return f"<label>{escape(label)}{select}</label>" if label else select


def _entry(name: str, label: str, value: str = "", size: int = 12) -> str:
    return f'<label>{escape(label)}<input name="{name}" value="{escape(value)}" size="{size}" autocomplete="off"></label>'


def _table(heads: list[str], rows: list[list[str]], *, numbers: Iterable[int] = ()) -> str:
    """Columns whose place is in `numbers` stand to the right."""
    numbers = set(numbers)

    def cell(tag: str, place: int, text: str) -> str:
        return f"<{tag}{' class=n' if place in numbers else ''}>{text}</{tag}>"

    head = "".join(cell("th", place, escape(text)) for place, text in enumerate(heads))
    shown = rows[:MOST_ROWS]
    body = "".join(
        "<tr>" + "".join(cell("td", place, text) for place, text in enumerate(row)) + "</tr>" for row in shown
    )
    more = f'<p class="soft">and {len(rows) - len(shown):,} more</p>' if len(rows) > len(shown) else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


_PARTS = ("clock", "mailboxes", "people", "faults", "switches", "requests", "contract", "snapshots")


def page(sandbox: Sandbox, clock: dict[str, Any]) -> str:
    links = "".join(f'<a href="#{name}">{name.capitalize()}</a>' for name in _PARTS)
    waiting = sum(1 for r in sandbox.store.consent_requests.values() if r.state == "waiting")
    links += f'<a href="/_sandbox/approvals">Approvals{f" ({waiting})" if waiting else ""}</a>'
    return _page(
        "Sandbox",
        _clock(clock)
        + _mailboxes(sandbox)
        + _people(sandbox)
        + _faults(sandbox)
        + _switches(sandbox)
        + _requests(sandbox)
        + _contract(sandbox)
        + _snapshots(sandbox),
        f"<nav>{links}</nav>",
    )


def _clock(clock: dict[str, Any]) -> str:
    address, rate = "/_sandbox/clock", clock["rate"]
    how = {"stepped": "stands still", "real": "real time"}.get(clock["mode"], f"{rate:g} times as fast")
    come = f"{clock['pending']} things to come"
    if clock["next_event_at"]:
        come += f", the next at {escape(_time(clock['next_event_at']))}"
    if clock["busy"]:
        come += f" · {clock['busy']} under way"
    rates = {"Stop": 0, "Real time": 1, "× 60": 60, "× 600": 600, "× 3600": 3600}
    steps = {"+ 1 minute": 60, "+ 1 hour": 3600, "+ 1 day": 86400, "+ 1 week": 604800}
    run = "".join(
        _button(address, label, pressed=value == rate, rate=str(value)) for label, value in rates.items()
    )
    step = "".join(_button(address, label, advance_seconds=str(value)) for label, value in steps.items())
    if clock["next_event_at"]:
        step += _button(address, "To what comes next", to="next")
    return _section(
        "clock", "Clock",
        f'<p class="time">{escape(_time(clock["now"]))} UTC</p><p class="soft">{how} · {come}</p>'
        f'<div class="row">{run}</div><div class="row">{step}</div>',
    )  # fmt: skip


def _time(iso: str) -> str:
    return iso.replace("T", " ").removesuffix("Z")


def _mailboxes(sandbox: Sandbox) -> str:
    store = sandbox.store
    rows: list[list[str]] = []
    for user in store.users.values():
        if user.person is not None or user.kind == "prospect":
            continue
        if len(rows) >= MOST_ROWS:
            rows.append([])
            continue
        counts = [f"{store.count(f'{user.id}.{name}'):,}" for name in ("inbox", "drafts", "sentitems")]
        state = [
            *([] if user.enabled else ["disabled"]), *([] if user.licensed else ["no licence"]),
            *([] if user.role == "user" else [user.role]),
        ]  # fmt: skip
        grants = sum(1 for grant in store.grants.values() if grant.user == user.id)
        rows.append([
            escape(user.name), escape(user.address), escape(", ".join(state) or user.kind), *counts,
            str(len(store.events_of(user.id))), str(len(store.subscriptions_of(user.id))), str(grants),
        ])  # fmt: skip
    heads = ["Name", "Address", "", "Inbox", "Drafts", "Sent", "Events", "Subscriptions", "Consents"]
    return _section("mailboxes", "Mailboxes", _table(heads, rows, numbers=range(3, 9)))


def _people(sandbox: Sandbox) -> str:
    store = sandbox.store
    coming: dict[str, list[str]] = defaultdict(list)
    for action in sorted(store.actions.values(), key=lambda action: action.due):
        if action.kind == "person":
            coming[action.payload["user"]].append(action.payload["type"])
    rows = []
    for user in store.users.values():
        if user.person is not None:
            nature = _choice(
                "behaviour", list(Behaviour), Behaviour(user.person["behaviour"]), title=f"What {user.name} does"
            ) + "<button>Set</button>"  # fmt: skip
            rows.append([
                f"{escape(user.name)}<br><span class=soft>{escape(user.address)}</span>",
                escape(f"{user.person.get('title') or ''}, {user.person.get('company') or ''}".strip(", ")),
                _form("/_sandbox/people", nature, address=user.address),
                escape(str(user.person.get("answers_message", 1))),
                f"{float(user.person.get('delay_hours', 0)):g} h", escape(", ".join(coming[user.id])),
            ])  # fmt: skip
    heads = ["Name", "Work", "Nature", "Acts on mail", "After", "Will do"]
    note = (
        "Who reads the mail that is sent here, and what they do with it. A change holds for the mail to come."
    )
    return _section("people", "People", _table(heads, rows, numbers=(3, 4)), note)


def _faults(sandbox: Sandbox) -> str:
    rows = [
        [
            escape(rule.action), escape(rule.when), f"<code class=name>{escape(rule.method or 'any')} {escape(rule.path or '.*')}</code>",
            escape(rule.mailbox or "all"), f"{rule.probability:.0%}",
            "without end" if rule.count is None else f"{rule.count} more", escape(_details(rule)),
        ]
        for rule in sandbox.faults.rules
    ]  # fmt: skip
    heads = ["Fault", "Work", "Requests", "Mailbox", "Chance", "Times", ""]
    form = _form(
        "/_sandbox/faults",
        _choice("action", [*INSTEAD, *ALTERED, *UNASKED], "503", label="Fault")
        + _choice("when", ["before", "after"], "before", label="Of the work")
        + _entry("path", "Path (regular expression)", "", 20)
        + _entry("mailbox", "Mailbox (empty: all)", "", 20)
        + _entry("probability", "Chance", "1", 4)
        + _entry("count", "Times", "", 4)
        + _entry("seconds", "Seconds", "1", 4)
        + _entry("retry_after", "Retry-After", "", 6)
        + _entry("status", "Status", "", 4)
        + _entry("code", "Code", "", 16)
        + "<button>Add</button>",
    )
    clear = _button("/_sandbox/faults", "Remove all", clear="true") if rows else ""
    known = "".join(
        f'<tr><td><code class="name">{name}</code></td><td>{_prose(text)}</td></tr>'
        for name, text in {**INSTEAD, **ALTERED, **UNASKED}.items()
    )
    legend = f"<details><summary>What they are</summary><table>{known}</table></details>"
    note = f"What goes wrong on purpose. Struck so far: {sandbox.faults.struck:,}."
    return _section(
        "faults", "Faults",
        (_table(heads, rows) if rows else "") + f'<div class="row">{form}{clear}</div>{legend}', note,
    )  # fmt: skip


def _details(rule: Rule) -> str:
    told = []
    if rule.retry_after is not None:
        told.append(f"Retry-After {rule.retry_after:g} s{' as a date' if rule.retry_after_date else ''}")
    if rule.action in ("slow", "timeout", "skew", "notification_late"):
        told.append(f"{rule.seconds:g} s")
    if rule.action == "refuse":
        told.append(f"{rule.status} {rule.code}")
    if rule.headers:
        told.append(", ".join(rule.headers))
    return "; ".join(told)


def _switches(sandbox: Sandbox) -> str:
    from m365_sandbox.coverage import notes

    hints, told, default = get_type_hints(Switches), notes(), Switches()
    rows = []
    for name, value in sandbox.switches.to_json().items():
        hint = hints[name]
        if get_origin(hint) is Literal:
            field = _choice(name, get_args(hint), value)
        elif hint is bool:
            field = _choice(name, ["true", "false"], str(value).lower())
        else:
            text = escape(str(list(value) if isinstance(value, tuple) else value).replace("'", '"'))
            field = f'<input name="{name}" value="{text}" size="14" aria-label="{name}">'
        changed = "" if value == getattr(default, name) else ' <span class="changed">changed</span>'
        form = _form("/_sandbox/switches", f"{field}<button>Set</button>")
        rows.append([f'<code class="name">{name}</code>{changed}', form, _prose(told.get(name, ""))])
    note = "What Microsoft's documentation leaves open, and what the sandbox does about it."
    heads = ["Switch", "Setting", "What it is"]
    changed_rows = [row for row in rows if "changed" in row[0]]
    changed = _table(heads, changed_rows) if changed_rows else "<p>All are as documented.</p>"
    every = f"<details><summary>All {len(rows)} switches</summary>{_table(heads, rows)}</details>"
    return _section("switches", "Switches", changed + every, note)


def _prose(text: str) -> str:
    """With `code` as code."""
    return "".join(
        f"<code>{escape(part)}</code>" if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    )


def _requests(sandbox: Sandbox) -> str:
    last = sandbox.store.last_logged()
    entries = sandbox.store.logged(max(0, last - LATEST_REQUESTS), LATEST_REQUESTS)
    rows = [
        [
            str(entry["n"]), escape(_time(entry["at"])[11:]),
            f"<code class=name>{escape(entry['method'])} {escape(_short(entry['path']))}</code>",
            _status(entry), escape(entry["user"]), _items(entry["items"]),
        ]
        for entry in reversed(entries)
    ]  # fmt: skip
    heads = ["#", "At", "Request", "Status", "Mailbox", "What left the server"]
    return _section("requests", f"Latest of {last:,} requests", _table(heads, rows, numbers=(0,)))


def _short(path: str) -> str:
    """Without the middle of long ids."""
    parts = (part if len(part) < 40 else f"{part[:12]}…{part[-6:]}" for part in path.split("/"))
    return "/".join(parts)


def _status(entry: dict[str, Any]) -> str:
    text = str(entry["status"]) if entry["status"] else "broken off"
    kind = "good" if 200 <= entry["status"] < 400 else "bad"
    fault = f'<br><span class="soft">{escape(entry["fault"])}</span>' if entry.get("fault") else ""
    return f'<span class="{kind}">{text}</span>{fault}'


def _items(items: list[dict[str, Any]]) -> str:
    """How many of which kind, and with which fields; in full on request."""
    if not items:
        return ""
    kinds: dict[str, int] = defaultdict(int)
    names: dict[str, None] = {}
    for item in items:
        kinds[item["kind"]] += 1
        names.update(dict.fromkeys(item["fields"]))
    summary = ", ".join(f"{count} × {escape(kind)}" for kind, count in kinds.items())
    each = "".join(
        f"<p><code>{escape(_short(str(item['id'])))}</code> {escape(', '.join(item['fields']))}</p>"
        for item in items[:20]
    )
    fields = f"<p class=soft>{escape(', '.join(names))}</p>"
    return f"<details><summary>{summary}</summary>{fields if len(items) > 1 else ''}{each}</details>"


def _contract(sandbox: Sandbox) -> str:
    note = "Whether what is said to Graph, and by it, fits Microsoft's description of Graph."
    watch = sandbox.watch
    if watch is None:
        return _section(
            "contract",
            "Contract",
            "<p>Not checked. Start the sandbox with <code>--contract FILE</code>.</p>",
            note,
        )
    found = [
        [f"<code>{escape(line)}</code>", f"{times:,}"]
        for line, times in Counter(watch.violations).most_common()
    ]
    table = _table(["What does not fit", "Times"], found, numbers=(1,)) if found else ""
    kind, count = ("bad", f"{len(watch.violations):,} do not fit") if found else ("good", "all fit")
    told = f'<p>{watch.checked:,} exchanges checked: <span class="{kind}">{count}</span>.</p>'
    if not watch.checked:
        told = "<p>Nothing has been said to Graph yet.</p>"
    return _section("contract", "Contract", told + table, note)


def _snapshots(sandbox: Sandbox) -> str:
    rows = [
        [escape(name), _button("/_sandbox/restore", "Go back to it", name=name)]
        for name in sandbox.store.snapshots()
    ]
    keep = _form("/_sandbox/snapshot", _entry("name", "Name") + "<button>Keep all as it is now</button>")
    return _section(
        "snapshots", "Snapshots",
        (_table(["Name", ""], rows) if rows else "")
        + f'<div class="row">{keep}{_button("/_sandbox/reset", "Start anew: all this is lost")}</div>'
        '<p class="row"><a href="/_sandbox/world.yaml">This world as a YAML file</a></p>',
    )  # fmt: skip


def approvals(requests: list[dict[str, Any]]) -> str:
    rows = []
    for request in requests:
        buttons = escape(request["state"])
        if request["state"] == "waiting":
            buttons = " ".join(
                _button("/_sandbox/approvals", label, request=request["id"], decision=decision)
                for label, decision in (("Approve", "approve"), ("Deny", "deny"))
            )
        rows.append([
            escape(request["user"]), escape(request["app"]), escape(", ".join(request["scopes"])),
            escape(request["justification"]), buttons,
        ])  # fmt: skip
    table = _table(["User", "App", "Permissions", "Justification", "Decision"], rows)
    empty = "<p>When a user asks for an administrator's approval, the request is here.</p>"
    links = '<nav><a href="/_sandbox/">Sandbox</a></nav>'
    return _page("Requests for approval", f"<section>{table if rows else empty}</section>", links)
