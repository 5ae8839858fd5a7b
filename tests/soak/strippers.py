"""`./dev soak strippers`: our extractor beside public ones, on the public fixtures, in one run.

    ./dev soak strippers      needs shared/data/reply-fixtures beside the checkout, or GATEPOST_SHARED_DATA

A row counts where what is left equals the source's own answer but for white space (tests/text/test_quotes.py). Sources
disagree on signatures and on quotes amid an answer, so nobody can have all of them. Exit code 1 where ours is below its goal.
"""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

import email_reply_parser
import mailparser_reply
import unquotemail
from mailparser_reply.constants import MAIL_LANGUAGES

from gatepost.text import bodies
from tests.text import test_quotes as fixtures

GOALS = {"text": 0.92, "html": 0.90}
Stripper = Callable[[str], str]

_languages = mailparser_reply.EmailReplyParser(languages=list(MAIL_LANGUAGES))
PEERS: dict[str, dict[str, Stripper]] = {
    "text": {
        "email-reply-parser": email_reply_parser.EmailReplyParser.parse_reply,
        "mail-parser-reply": lambda text: str(_languages.read(text=text).replies[0].body),
        "unquotemail": lambda text: str(unquotemail.Unquote("", text).get_text()),
    },
    "html": {
        "unquotemail": lambda html: bodies.html_to_text(unquotemail.Unquote(html, "").get_html() or ""),
    },
}


def main() -> int:
    if not fixtures.FIXTURES.is_dir():
        print(
            f"The public fixtures are not at {fixtures.FIXTURES}. GATEPOST_SHARED_DATA says where they are."
        )
        return 2
    holds = True
    for form, goal in GOALS.items():
        rows = [row for row in fixtures.public_fixtures() if row["format"] == form]
        ours = _share(rows, fixtures.is_as_expected)
        holds &= ours[0] >= goal
        print(f"{form}: {len(rows)} replies, goal {goal:.2f}")
        _print("gatepost", *ours)
        for name, strip in PEERS[form].items():
            _print(name, *_share(rows, lambda row, strip=strip: _is_right(row, strip)))  # type: ignore[misc]
    return 0 if holds else 1


def _share(rows: list[Any], is_right: Callable[[Any], bool]) -> tuple[float, float]:
    """Of the rows that are right, and milliseconds for each."""
    began = time.process_time()
    right = sum(map(is_right, rows))
    return right / len(rows), 1000 * (time.process_time() - began) / len(rows)


def _is_right(row: Any, strip: Stripper) -> bool:
    with contextlib.suppress(Exception):  # a peer that raises has no answer
        return fixtures.is_answer(row, strip(row["input"]))
    return False


def _print(name: str, share: float, milliseconds: float) -> None:
    print(f"  {name:20} {share:.3f}   {milliseconds:6.2f} ms each", flush=True)


if __name__ == "__main__":
    sys.exit(main())
