"""The tables of the PostgreSQL store, step by step from an empty schema; applied when a store is opened.

A step that was released is never changed: what comes later is a new step at the end of MIGRATIONS.
"""

from collections.abc import Callable

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from ..contract.resource import Resource
from .store import UnreadableStore

LOCK = 0x63616C6C_636F6E66
"""The advisory lock ("callconf") under which one process migrates while the others wait."""


def create_configurations(resource: Resource) -> list[Composed]:
    """`body` is the truth: the type json keeps a text exactly, with its order of members, its numbers and U+0000.

    `document` is the same for people and their queries: jsonb has no U+0000, which becomes U+FFFD there, and reads
    every number as a decimal. The key columns hold escaped texts, and the collation "C" orders them as Python does.
    """
    members = [Identifier(member) for member in resource.unique]
    texts = SQL(", ").join(SQL('{} text COLLATE "C" NOT NULL').format(member) for member in members)
    table = SQL(
        r"""
        CREATE TABLE callconfig_configurations (
            identity text COLLATE "C" PRIMARY KEY,
            created_at text COLLATE "C" NOT NULL,
            {texts},
            body json NOT NULL,
            document jsonb NOT NULL GENERATED ALWAYS AS (
                regexp_replace(body::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb
            ) STORED,
            CONSTRAINT callconfig_scope UNIQUE ({members})
        )
        """
    ).format(texts=texts, members=SQL(", ").join(members))
    index = "CREATE INDEX {name} ON callconfig_configurations ({columns})"
    order = [Identifier("created_at"), Identifier("identity")]
    indexes = {"callconfig_order": order}
    indexes |= {f"callconfig_{name}": [member, *order] for name, member in zip(resource.unique, members, strict=True)}
    return [
        table,
        *(
            SQL(index).format(name=Identifier(name), columns=SQL(", ").join(columns))
            for name, columns in indexes.items()
        ),
    ]


MIGRATIONS: tuple[Callable[[Resource], list[Composed]], ...] = (create_configurations,)


async def migrate(connection: AsyncConnection, resource: Resource) -> None:
    """Bring the tables to where this version of callconfig expects them, all of it or nothing.

    Raises UnreadableStore when they belong to a later version, or to a contract with other unique members.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS callconfig_migrations"
            " (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor = await connection.execute("SELECT coalesce(max(version), 0) FROM callconfig_migrations")
        (version,) = await cursor.fetchone() or (0,)
        if version > len(MIGRATIONS):
            raise UnreadableStore(f"the tables have version {version}, made by a later callconfig")
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements(resource):
                await connection.execute(statement)
            await connection.execute("INSERT INTO callconfig_migrations (version) VALUES (%s)", [number])
