"""python -m tests.operate.schema: writes src/gatepost/migrations/schema.sql anew (`./dev schema`)."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from gatepost.config.installation import set_up_django
from gatepost.config.postgres import EmbeddedPostgres, bins

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src/gatepost/migrations/schema.sql"
# What depends on who asks, and what `isolation.secure_tables` says after every migration.
OPTIONS = ("--no-owner", "--no-privileges", "--no-policies", "--no-comments", "--schema=public")
_NOISE = re.compile(
    r"^(--( Name: .*| PostgreSQL database .*| Dumped .*)?|SET (?!check_function_bodies|default_).*|SELECT pg_catalog\.set_config.*|CREATE SCHEMA .*|\\.*"
    r"|ALTER TABLE ONLY \S+ FORCE ROW LEVEL SECURITY;)\n",
    re.MULTILINE,
)


def made() -> str:
    """What the walk through every migration leads to, in a database that is thrown away. In a process of its own."""
    with tempfile.TemporaryDirectory(prefix="gatepost-schema-") as folder:
        with EmbeddedPostgres(Path(folder) / "pg", throw_away=True) as addresses:
            os.environ |= {
                "DATABASE_URL": addresses.app, "GATEPOST_OWNER_DATABASE_URL": addresses.owner,
                "GATEPOST_DATA_DIR": folder, "GATEPOST_SECRET_KEY": "of no consequence " * 3, "GATEPOST_KEYSTORE_URL": addresses.keystore,
            }  # fmt: skip
            set_up_django()
            from django.core.management import call_command

            call_command("migrate", database="owner", verbosity=0, skip_checks=True)
            tables = _dumped(addresses.owner, "--schema-only")
            walked = _dumped(
                addresses.owner, "--data-only", "--column-inserts", "--table=public.django_migrations"
            )
    names = sorted(re.findall(r"VALUES \(\d+, '(\w+)', '(\w+)'", walked))
    rows = ",\n".join(f"    ('{app}', '{name}', now())" for app, name in names)
    return (
        f"-- Written by ./dev schema: change a migration instead.\n\n{tables}\n\n"
        f"INSERT INTO public.django_migrations (app, name, applied) VALUES\n{rows};\n"
    )


def _dumped(address: str, *options: str) -> str:
    ran = subprocess.run(
        [bins() / "pg_dump", *OPTIONS, *options, address], check=True, capture_output=True, text=True
    )
    return re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", ran.stdout)).strip()


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print(made(), end="")
    else:
        FILE.write_text(made())
