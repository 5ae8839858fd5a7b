class OwnerMigrates:
    """Migrations run with the owner's role only; the application's role has no right to change tables."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db == "owner"
