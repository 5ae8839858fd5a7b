from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class GatepostConfig(AppConfig):
    """The one Django app: moving a table between folders needs no migration (docs/decisions/0001)."""

    name = "gatepost"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_secure, sender=self)


def _secure(*, using: str, **kwargs: Any) -> None:
    from gatepost.isolation import secure_tables

    if using == "owner":
        role = connections["default"].settings_dict["USER"]
        secure_tables(connections["owner"], application_role=role)
