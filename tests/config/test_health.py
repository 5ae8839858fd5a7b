"""What a load balancer is told."""

import pytest
from django.test import Client

from gatepost.config.health import installation_mark


def test_a_living_process_says_how_the_request_arrived() -> None:
    answer = Client().get("/health/live", HTTP_HOST="10.0.0.7:8000")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok", "installation": installation_mark(), "https": False, "host": "10.0.0.7:8000",
    }  # fmt: skip


def test_another_secret_is_another_installation(settings) -> None:
    before = installation_mark()
    settings.SECRET_KEY = "another" * 10
    assert installation_mark() != before
    assert before not in settings.SECRET_KEY


@pytest.mark.django_db
def test_it_is_ready_when_database_tables_and_keystore_are_there() -> None:
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db(databases=["default", "owner"])
def test_tables_of_another_version_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.executor import MigrationExecutor

    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("one", False)])
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, "tables")


@pytest.mark.django_db
def test_without_its_keystore_it_is_not_ready(settings) -> None:
    from gatepost.vault import keys

    settings.GATEPOST_KEYSTORE_URL = "postgresql://nobody@127.0.0.1:1/nothing"
    keys._keys.forget()
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, "keystore")


def test_without_its_database_it_is_not_ready() -> None:
    # pytest-django refuses the connection here as a database that is down does.
    from django.db import DatabaseError

    from gatepost.config import health

    class Down:
        def cursor(self):
            raise DatabaseError("the server is gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "connections", {"default": Down()})
        answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, "database")
