"""docs/operate/jobs.md names every job and tick that there is."""

import re

import pytest
from django.db import connection

from tests.docs.pages import ROOT


@pytest.mark.parametrize(("kind", "heading"), [("tick", "## Ticks"), ("job", "## Jobs")])
def test_the_page_names_each_one_and_no_other(kind: str, heading: str) -> None:
    section = (ROOT / "docs/operate/jobs.md").read_text().partition(heading)[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `([\w.-]+)`", section, re.MULTILINE))
    written = {
        name
        for file in (ROOT / "src/gatepost").rglob("*.py")
        for name in re.findall(rf'^@{kind}\("([\w.-]+)"', file.read_text(), re.MULTILINE)
    }
    assert told == written


@pytest.mark.django_db
def test_the_statements_of_the_page_show_failed_jobs_and_run_them_again() -> None:
    blocks = re.findall(
        r"^```sql\n(.*?)^```", (ROOT / "docs/operate/jobs.md").read_text(), re.MULTILINE | re.DOTALL
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, attempts) "
            "VALUES ('default', 'intake.sync', 0, '{}', 'failed', 1)"
        )
        for statement in (part for block in blocks for part in block.split(";") if part.strip()):
            cursor.execute(statement)
        cursor.execute("SELECT status FROM procrastinate_jobs")
        assert cursor.fetchall() == [("todo",)]
