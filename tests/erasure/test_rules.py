from datetime import UTC, datetime, timedelta

import pytest

from gatepost.erasure import rules

NOW = datetime(2027, 1, 11, 9, tzinfo=UTC)


@pytest.mark.parametrize("each", rules.RETENTION, ids=lambda each: each.kind)
def test_the_usual_time_lies_within_its_limits(each: rules.Retention) -> None:
    assert 0 < each.least <= each.days <= each.most


def test_a_kind_is_kept_as_usual_unless_the_workspace_chose() -> None:
    assert rules.days_kept("disconnected", {}) == 30
    assert rules.days_kept("disconnected", {"disconnected": 7}) == 7
    assert rules.kept_since("disconnected", {"disconnected": 7}, now=NOW) == NOW - timedelta(days=7)


def test_a_choice_that_a_later_version_does_not_allow_counts_as_the_limit() -> None:
    assert rules.days_kept("rejected", {"rejected": 9999}) == 90
    assert rules.days_kept("rejected", {"rejected": 0}) == 1


def test_what_is_outside_the_limits_is_refused_with_the_limits() -> None:
    assert "from 1 to 180 days" in rules.problem_with("disconnected", 181)
    assert "There is no kind" in rules.problem_with("dreams", 1)
    assert rules.problem_with("disconnected", 180) == ""


def facts(**more: object) -> rules.ErasureFacts:
    values = {
        "id": "e1", "kind": "mailbox", "subject": "m1", "workspace": "w1", "ordered_at": NOW, "ordered_by": "owner a1",
        "finished_at": NOW + timedelta(minutes=1), "counts": {"replies": 3, "messages": 5}, "keys": ("mailbox:m1",),
        "keys_destroyed_at": NOW, "left_at_microsoft": (), "public_url": "https://gatepost.example.com",
        "backup_days": 30, "keystore_backup_days": 7, **more,
    }  # fmt: skip
    return rules.ErasureFacts(**values)  # type: ignore[arg-type]


def test_a_receipt_says_what_where_when_by_whom_and_until_when_a_backup_could_hold_it() -> None:
    said = rules.receipt(facts())
    assert said["rows"] == {"messages": 5, "replies": 3} and list(said["rows"]) == ["messages", "replies"]
    assert said["ordered_by"] == "owner a1" and said["finished_at"] == "2027-01-11T09:01:00Z"
    assert said["keys_destroyed"] == ["mailbox:m1"] and said["keys_destroyed_in"] == "the keystore"
    assert said["backups"] == {
        "of_the_main_database_expire": "2027-02-10T09:01:00Z",
        "of_the_keystore_expire": "2027-01-18T09:00:00Z",
    }


def test_the_receipt_of_a_person_claims_no_destroyed_key() -> None:
    said = rules.receipt(facts(kind="contact", keys=(), keys_destroyed_at=None))
    assert said["keys_destroyed"] == [] and said["keys_destroyed_at"] == said["keys_destroyed_in"] == ""
