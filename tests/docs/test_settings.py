"""docs/settings.md and the code name the same settings, in both directions."""

import re

from gatepost.config import environment
from gatepost.config.environment import Setting
from tests.docs.pages import ROOT

ROW = re.compile(r"^\| `(\w+)`( \(secret\))? \| (.+) \| (.+) \| (.*) \|$", re.MULTILINE)


def rows() -> dict[str, tuple[bool, str, str]]:
    """Each variable of the page: whether it is a secret, its accepted form, its default."""
    text = (ROOT / "docs/settings.md").read_text()
    return {
        variable: (bool(secret), form, default) for variable, secret, _, form, default in ROW.findall(text)
    }


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    assert set(rows()) == {setting.variable for setting in environment.ALL}


def test_the_page_gives_the_accepted_form_and_marks_secrets_as_the_code_does() -> None:
    told = {variable: (secret, form) for variable, (secret, form, _) in rows().items()}
    assert told == {setting.variable: (setting.secret, setting.form) for setting in environment.ALL}


def test_the_page_gives_the_defaults_of_the_code() -> None:
    by_words = {
        "GATEPOST_ANCHOR_FILE",
        "GATEPOST_DATA_DIR",
        "GATEPOST_KEY_FILE",
    }  # they depend on the machine
    told = {variable: default for variable, (_, _, default) in rows().items() if variable not in by_words}
    assert told == {s.variable: _shown(s) for s in environment.ALL if s.variable not in by_words}


def _shown(setting: Setting) -> str:
    if setting.default in (None, ""):
        return ""
    return "no" if setting.default is False else f"`{setting.default}`"
