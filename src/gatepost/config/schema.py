"""The tables of a new installation, in one piece: what the migrations lead to, without walking through all of them.

Django works out the state of every model anew between each two changes; for tables that nothing was ever in, that is most
of the time a first start takes. `migrations/schema.sql` is where the migrations lead, and names those that are in it; later
ones run as always. `./dev schema` writes it, and tests/operate/test_schema.py tells when it is not what they lead to.
"""

from importlib.resources import files

import psycopg

FILE = files("gatepost") / "migrations/schema.sql"


def lay_out(owner_url: str) -> bool:
    """A database without tables has those of a new installation; any other is left as it is. Whether it was the first.

    Rights and row-level security are not part of it: `isolation.secure_tables` sees to them after every migration.
    """
    with psycopg.connect(owner_url) as connection:
        # Two processes that start together take turns.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('schema'))")
        row = connection.execute("SELECT to_regclass('public.django_migrations') IS NULL").fetchone()
        empty = bool(row and row[0])
        if empty:
            connection.execute(FILE.read_bytes())
        return empty
