"""What the pages name exists: files, functions, links, commands."""

import importlib.util
import re
from pathlib import Path

import pytest

from gatepost.cli import main
from tests.docs.pages import LINK, PAGES, ROOT, code, name, paths

# Announced as missing in README.md. When one comes, the page must change.
NOT_YET: set[str] = set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_on_the_page_exists(page: Path) -> None:
    # On a page in docs/ a short name such as README.md may mean its neighbour.
    missing = {
        path
        for path in paths(page.read_text())
        if not ((ROOT / path).exists() or (page.parent / path).exists())
    }
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_on_the_page_leads_somewhere(page: Path) -> None:
    assert {link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()} == set()


def test_a_function_that_a_page_names_is_in_the_file_that_it_names() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`(src/[\w/.]+\.py)` \(`(\w+)`\)", text)
    assert named
    assert {
        (file, function) for file, function in named if f"def {function}(" not in (ROOT / file).read_text()
    } == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_on_the_page_is_one(page: Path) -> None:
    wrong = set()
    for line in code(page.read_text()):
        for verb, rest in re.findall(r"(?:^|[ /])gatepost ([a-z][a-z-]+)((?: --?[a-z-]+)*)", line):
            command = main.commands.get(verb)
            if command is None:
                wrong |= {f"gatepost {verb}"} - {f"gatepost {each}" for each in NOT_YET}
                continue
            if command.context_settings.get("ignore_unknown_options"):
                continue  # `gatepost sandbox` hands its options on
            options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            wrong |= {f"gatepost {verb} {option}" for option in rest.split() if option not in options}
    assert wrong == set()


def test_what_is_said_to_be_missing_is_missing() -> None:
    assert NOT_YET & set(main.commands) == set()


def test_every_command_is_on_some_page() -> None:
    told = " ".join(piece for page in PAGES for piece in code(page.read_text()))
    assert {verb for verb in main.commands if not re.search(rf"\bgatepost {verb}\b", told)} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_dev_command_on_the_page_is_one(page: Path) -> None:
    known = set(re.findall(r"^    \./dev (\w+)", (ROOT / "dev").read_text(), re.MULTILINE))
    told = {verb for line in code(page.read_text()) for verb in re.findall(r"\./dev (\w+)", line)}
    assert told <= known


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_module_that_the_page_runs_exists(page: Path) -> None:
    told = {module for line in code(page.read_text()) for module in re.findall(r"python -m ([\w.]+)", line)}
    assert {module for module in told if importlib.util.find_spec(module) is None} == set()


def test_every_page_that_the_source_refers_to_exists() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), ROOT / "pyproject.toml", ROOT / "requirements/base.in"]
    missing = {
        (name(file), path)
        for file in sources
        for path in re.findall(r"(?<![\w/.])docs/[\w/-]+(?:\.md)?", file.read_text())
        if not list(ROOT.glob(f"{path}*"))  # a decision may be named by its number alone
    }
    assert missing == set()


def test_no_page_names_a_package_host_or_somebody_s_machine() -> None:
    hosts = [
        f"{first}{second}" for first, second in (("pypi", ".org"), ("python", "hosted"), ("npmjs", ".com"))
    ]
    machine = re.compile(r"(?<![\w.])/(home|root|work|Users)/\w")
    others = [ROOT / "dev", ROOT / "pyproject.toml", ROOT / ".ci/run", *(ROOT / "requirements").iterdir()]
    found = {
        name(file)
        for file in [*PAGES, *others]
        if machine.search(file.read_text()) or any(host in file.read_text() for host in hosts)
    }
    assert found == set()
