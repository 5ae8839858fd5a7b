from datetime import timedelta

import pytest

from gatepost.rotation.rules import Done, LookAgain, Looked, after_a_look

HOUR, MINUTE, NOW = timedelta(hours=1), timedelta(minutes=1), timedelta()


def test_a_look_that_found_nothing_once_everybody_knows_is_the_last():
    assert after_a_look(Looked(age=HOUR, found=False, oldest_transaction=NOW)) == Done()


@pytest.mark.parametrize(
    ("looked", "reason"),
    [
        (Looked(age=HOUR, found=True, oldest_transaction=NOW), "may be more"),
        (Looked(age=MINUTE, found=False, oldest_transaction=NOW), "may not know"),
        (Looked(age=HOUR, found=False, oldest_transaction=HOUR), "transaction"),
    ],
)
def test_it_is_looked_again_while_something_may_come(looked, reason):
    verdict = after_a_look(looked)
    assert isinstance(verdict, LookAgain) and reason in verdict.reason
