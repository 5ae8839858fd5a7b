"""Every switch is documented, and some test names it in each of its settings."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from m365_sandbox.coverage import notes
from m365_sandbox.switches import Switches
from tests.soak import switches as soak

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


# ./dev soak switches


def test_the_runs_of_the_soak_cover_every_setting_of_every_switch() -> None:
    every, planned = soak.settings(), soak.runs(soak.settings())

    assert set(every) | set(soak.LEFT_OUT) == set(NAMES)
    for name, settings in every.items():
        assert [run.get(name, settings[0]) for run in planned[: len(settings)]] == settings
    assert len(planned) == max(map(len, every.values()))


def test_a_switch_that_fails_by_itself_is_found_among_many() -> None:
    tried: list[dict[str, Any]] = []

    def holds(switches: dict[str, Any]) -> bool:
        tried.append(switches)
        return not {"c", "f"} & set(switches)

    found = soak.culprits(dict.fromkeys("abcdefgh", 1), holds)

    assert found == [{"c": 1}, {"f": 1}] and len(tried) < 16


def test_switches_that_fail_only_together_stay_together() -> None:
    def holds(switches: dict[str, Any]) -> bool:
        return not {"a", "d"} <= set(switches)

    assert soak.culprits(dict.fromkeys("abcd", 1), holds) == [dict.fromkeys("abcd", 1)]
