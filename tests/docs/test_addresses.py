"""docs/operate/addresses.md names every host that stands in the source, and no other host does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

PRODUCT = ROOT / "src/gatepost"
HOST = re.compile(r"(?:https?|wss?|ftp)://([\w.-]+\.[a-z]{2,})\b")
# Names that nobody can reach (RFC 2606), and those of namespaces, which are never opened.
NOWHERE = re.compile(
    r"(^|\.)(example|test|invalid|localhost)$|(^|\.)example\.(com|org|net)$|^www\.w3\.org$"
    r"|^schemas\.openxmlformats\.org$"
)
# Vendored and never run on its own; the Content-Security-Policy lets it call this site only.
VENDORED = "web/static/vendor"
MICROSOFT = {"login.microsoftonline.com", "graph.microsoft.com"}


def texts(tree: ast.Module) -> Iterator[str]:
    """Every string of a module that is no docstring. Comments are none either."""
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def hosts_in_source() -> dict[str, set[str]]:
    """By file, the hosts in its addresses."""
    found: dict[str, set[str]] = {}
    for file in sorted(PRODUCT.rglob("*")):
        if file.suffix not in (".py", ".html", ".txt", ".js", ".css", ".svg") or VENDORED in str(file):
            continue
        text = file.read_text()
        pieces = texts(ast.parse(text)) if file.suffix == ".py" else [text]
        hosts = {host for piece in pieces for host in HOST.findall(piece) if not NOWHERE.search(host)}
        if hosts:
            found[str(file.relative_to(PRODUCT))] = hosts
    return found


def hosts_on_page() -> set[str]:
    text = (ROOT / "docs/operate/addresses.md").read_text()
    return set(re.findall(r"^\| `([\w.-]+\.[a-z]+)` \|", text, re.MULTILINE))


def test_the_source_names_microsofts_two_hosts_and_no_other() -> None:
    assert set().union(*hosts_in_source().values()) == MICROSOFT


def test_the_page_names_the_same_hosts() -> None:
    assert hosts_on_page() == MICROSOFT


def test_an_address_in_the_source_would_be_found() -> None:
    tree = ast.parse('"""https://doc.example.net/"""\nPING = "https://telemetry.gatepost.io/ping"')
    assert [host for text in texts(tree) for host in HOST.findall(text)] == ["telemetry.gatepost.io"]


def test_every_variable_that_holds_an_address_is_on_the_page() -> None:
    from gatepost.config import environment

    text = (ROOT / "docs/operate/addresses.md").read_text()
    named = {s.variable for s in environment.ALL if s.variable.endswith(("_URL", "_PORT"))}
    assert {variable for variable in named if f"`{variable}`" not in text} <= {"GATEPOST_OWNER_DATABASE_URL"}


def test_every_example_of_a_proxy_and_a_service_is_told_of() -> None:
    examples = ROOT / "docs/operate/examples"
    told = "".join(page.read_text() for page in (ROOT / "docs/operate").glob("*.md"))
    assert [file.name for file in Path(examples).iterdir() if f"examples/{file.name}" not in told] == []
