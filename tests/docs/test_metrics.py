"""docs/operate/metrics.md and the code name the same figures, and the same fields of log lines."""

import re

from gatepost.config.logs import FIELDS
from gatepost.config.metrics import FIGURES
from tests.docs.pages import ROOT

ROW = re.compile(r"^\| `(gatepost_\w+)`(?: by `(\w+)`: ([\w, ]+))? \| (.+) \|$", re.MULTILINE)


def test_the_page_names_every_figure_with_its_labels_and_what_it_tells() -> None:
    rows = {
        metric: (label, labels, tells)
        for metric, label, labels, tells in ROW.findall((ROOT / "docs/operate/metrics.md").read_text())
    }
    rows.pop("gatepost_info"), rows.pop("gatepost_database_up")
    assert rows == {f.metric: (f.label, ", ".join(f.labels), f.tells) for f in FIGURES}


def test_an_alarm_names_figures_that_exist() -> None:
    text = (ROOT / "docs/operate/metrics.md").read_text()
    known = {figure.metric for figure in FIGURES} | {"gatepost_info", "gatepost_database_up"}
    assert set(re.findall(r"gatepost_\w+", text)) <= known


def test_the_page_of_logs_names_every_field() -> None:
    text = (
        (ROOT / "docs/operate/logs.md")
        .read_text()
        .partition("## What is in a line")[2]
        .partition("## What is never")[0]
    )
    told = {
        name
        for row in re.findall(r"^\| (`.+`) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert told == set(FIELDS)
