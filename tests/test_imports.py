"""Rules about the source itself: who may import what, and which names may stand where."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from importlinter import cli

from gatepost.audit import tags
from gatepost.vault.indexes import IndexesField, IndexField

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "gatepost"


def sources(folder: Path = PACKAGE) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())


def test_every_import_follows_the_contracts_of_pyproject(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "src"))

    kept = cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS

    assert kept, capsys.readouterr().out


FORBIDDEN_OF_MAIL = re.compile(
    r"uniqueBody|bodyPreview|attachments|\$value|\$search|hasAttachments|sendMail|internetMessageHeaders"
)


def test_only_the_closed_list_and_its_reader_name_the_fields_of_mail_content():
    named = {
        file
        for file, tree in sources(PACKAGE / "graph")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and FORBIDDEN_OF_MAIL.search(node.value)
    }
    assert named <= {"graph/shapes.py", "graph/messages.py"}


def test_only_the_folder_of_graph_asks_microsoft():
    """Through its functions, each with a name and a docstring; `probes.ask` asks a job to look."""
    asked = {
        (file, ast.unparse(node.func)) for file, tree in sources() for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and _called(node) in ("ask", "follow") and not file.startswith("graph/")
    }  # fmt: skip
    assert asked == {("mailboxes/views.py", "probes.ask")}


def test_only_the_matcher_makes_the_right_to_read_a_reply():
    makers = {
        file
        for file, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) in ("MatchedReply", "only_matcher")
    }
    assert makers == {"intake/matching.py"}


def test_only_the_doors_of_the_vault_open_what_is_sealed():
    callers = {
        file for file, tree in sources() for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) in ("open_sealed", "decrypt")
    }  # fmt: skip
    assert callers == {
        "vault/names.py",
        "vault/content.py",
        "vault/tokens.py",
        "vault/factors.py",
        "vault/sealing.py",
    }


def test_blind_indexes_are_compared_by_django_or_where_their_forms_are_known():
    """While their key is changed, a hash is stored in either of two forms (decision 0022): its field asks for the right one,
    and SQL written by hand would find half."""
    names = {
        field.attname for model in apps.get_models() for field in model._meta.get_fields()
        if isinstance(field, IndexField | IndexesField)
    }  # fmt: skip
    assert {"address_index", "search_indexes"} <= names
    named = re.compile(rf"\b(SELECT|UPDATE|INSERT|DELETE)\b.*\b({'|'.join(names)})\b", re.DOTALL)
    written = {
        file for file, tree in sources() for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and named.search(node.value)
        and not file.startswith(("migrations/", "bench/"))
    }  # fmt: skip
    assert written == {"intake/queries.py"}


def test_rules_look_at_no_clock():
    looked = [
        (file, node.attr)
        for file, tree in sources()
        if file.endswith("rules.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today", "monotonic")
        and isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date", "time", "clock")
    ]  # fmt: skip
    assert looked == []


def written_tags() -> dict[str, str]:
    return {name: value for name, value in vars(tags).items() if name.isupper()}


def test_audit_tags_stand_in_alphabetical_order_and_say_subject_and_action():
    values = list(written_tags().values())
    assert values == sorted(set(values))
    assert all(re.fullmatch(r"[a-z]+:[a-z-]+", value) for value in values)


def test_every_audit_tag_is_written_somewhere():
    used = {
        node.attr
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tags"
    }
    assert used == set(written_tags())


NOT_CONCEPTS = {"config", "migrations", "demo", "bench", "web"}


def test_each_folder_is_a_word_of_the_glossary():
    glossary = ROOT / "docs" / "glossary.md"
    if not glossary.exists():
        pytest.skip("docs/glossary.md is not written yet")
    text = glossary.read_text().casefold()
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} - NOT_CONCEPTS
    assert [folder for folder in sorted(folders) if folder not in text] == []


def test_no_file_has_a_catch_all_name():
    names = {path.stem for path in (ROOT / "src").rglob("*.py")}
    assert names.isdisjoint({"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"})


def test_where_an_installation_is_tried_no_test_takes_the_database_of_the_tests():
    """A process has one or the other: tests of the database run first, and those of the installation would find it there."""
    folders = ("faults", "journeys", "promises", "proofs")
    takers = {
        path.name
        for folder in folders
        for path in (ROOT / "tests" / folder).glob("*.py")
        if re.search(r"django_db\b|committed_db", path.read_text())
    }
    assert takers == set()


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
