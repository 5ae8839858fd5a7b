"""Every switch is documented, and some test names it in each of its settings."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from m365_sandbox.coverage import notes
from m365_sandbox.switches import Switches

from .conftest import Served

NAMES = [field.name for field in fields(Switches)]
TESTS = {
    path.name: path.read_text()
    for path in Path(__file__).parent.glob("test_*.py")
    if path.name != Path(__file__).name
}


def other_settings(name: str) -> list[Any]:
    """Of a choice between words or numbers: all but the default."""
    hint, default = get_type_hints(Switches)[name], getattr(Switches(), name)
    if get_origin(hint) is Literal:
        return [setting for setting in get_args(hint) if setting != default]
    return [not default] if hint is bool else []


@pytest.mark.parametrize("name", NAMES)
def test_a_switch_says_in_a_line_what_it_is(name: str) -> None:
    assert notes().get(name, "").endswith((".", "?"))


@pytest.mark.parametrize("name", NAMES)
def test_a_switch_is_tested_in_each_of_its_settings(name: str) -> None:
    naming = [text for text in TESTS.values() if f'"{name}"' in text or f"{name}=" in text]
    untested = [
        setting
        for setting in other_settings(name)
        if not any(json.dumps(setting) in text or repr(setting) in text for text in naming)
    ]

    assert naming, f"no test in tests/sandbox names the switch {name}"
    assert not untested, f"no test that names {name} has it as {untested}"


@pytest.mark.parametrize("name", NAMES)
def test_a_switch_takes_its_settings_and_refuses_others(name: str, sandbox: Served) -> None:
    for setting in other_settings(name):
        assert sandbox.control("switches", {name: setting})[name] == setting
    refused = sandbox.post("/_sandbox/switches", body={name: ["no", "such", "setting"]})

    assert refused.status == 400 and name in refused.json["error"]
