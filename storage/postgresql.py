"""The PostgreSQL store: ConfigurationStore for several processes and machines, which share what is stored."""

import select
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier, Placeholder
from psycopg_pool import AsyncConnectionPool

from ..contract.resource import Resource
from .index import Index
from .store import (
    Document,
    DuplicateScope,
    ServerValues,
    StoredDocument,
    StoreUnavailable,
    UnknownConfiguration,
    UnreadableStore,
    completed,
    has_members,
    made_ready,
    with_server_members,
)

DEFAULTS = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""Of a connection, where its URL says nothing: seconds to connect, milliseconds until a silent network is given up."""
STATEMENT_TIMEOUT = "-c statement_timeout=10s"
LOAD_TIMEOUT = "SET LOCAL statement_timeout = '5min'"
POOL_SIZE = 8
PATIENCE = 3
"""Seconds to wait for a connection before saying that the database does not answer."""
MIGRATION_LOCK = 0x63616C6C_636F6E66
"""The advisory lock ("callconf") under which one process migrates while the others wait."""
UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

Row = tuple[Any, ...]


class PostgreSQLStore:
    """ConfigurationStore in one schema of a database, the first of the connection's search path.

    The database decides who was first, so any number of these can work on the same tables. Every change is one
    statement or one transaction. When the connection breaks during a write, StoreUnavailable says what is known: the
    write was not acknowledged. Whether it was made, nobody can know.
    """

    def __init__(
        self, pool: AsyncConnectionPool[AsyncConnection[Row]], resource: Resource, values: ServerValues
    ) -> None:
        self._pool = pool
        self._resource = resource
        self._values = values
        self._statements = Statements(resource)

    @classmethod
    async def open(cls, location: str, resource: Resource, values: ServerValues) -> Self:
        """Connect, bring the tables up to date, and keep connections for later.

        Raises StoreUnavailable when there is no answer, UnreadableStore when what is there is not for this resource.
        """
        parameters = connection_parameters(location)
        try:
            async with await AsyncConnection.connect(**parameters) as connection:
                encoding = connection.info.parameter_status("server_encoding")
                if encoding != "UTF8":
                    raise UnreadableStore(f"the database has the encoding {encoding}, and not every text fits into it")
                await migrate(connection, resource)
                await connection.execute(Statements(resource).probe)
        except UNAVAILABLE as error:
            raise unavailable(error) from error
        except psycopg.Error as error:
            raise UnreadableStore(f"PostgreSQL cannot be used: {error}") from error

        async def expect_alive(connection: AsyncConnection[Row]) -> None:
            if something_to_read(connection):
                await pool.check()  # the others have most likely lost the same server
                await pool.check_connection(connection)

        pool = AsyncConnectionPool(
            kwargs=parameters,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=PATIENCE,
            reconnect_timeout=PATIENCE,  # after that, the next request makes it try again at once
            check=expect_alive,
            open=False,
        )
        await pool.open()
        return cls(pool, resource, values)

    async def create(self, values: Document) -> Document:
        while True:
            now = self._values.now()
            document = with_server_members(
                self._resource, values, identity=self._values.new_id(), created_at=now, updated_at=now
            )
            stored = StoredDocument.of(self._resource, document)
            if await self._execute(self._statements.insert, row(stored)):
                return document
            await self._expect_free(stored.scope)
            # The id is taken, or the scope was and is free again by now: another id, another attempt.

    async def replace(self, identity: str, values: Document) -> Document:
        while True:
            created_at = (await self.get(identity))[self._resource.created_at]
            document = with_server_members(
                self._resource, values, identity=identity, created_at=created_at, updated_at=self._values.now()
            )
            stored = StoredDocument.of(self._resource, document)
            columns = row(stored)
            try:
                if await self._execute(self._statements.update, [*columns, *columns[:2]]):
                    return document
            except psycopg.errors.UniqueViolation:
                await self._expect_free(stored.scope)
            # By now it is gone or another one, or its scope is free again: another look.

    async def delete(self, identity: str) -> None:
        if not await self._execute(self._statements.delete_one, [key(identity)]):
            raise UnknownConfiguration(identity)

    async def get(self, identity: str) -> Document:
        rows = await self._execute(self._statements.get, [key(identity)])
        if not rows:
            raise UnknownConfiguration(identity)
        document: Document = orjson.loads(rows[0][0])
        return document

    async def find(self, **equal: str) -> list[bytes]:
        columns = [member for member in self._resource.unique if member in equal]
        others = {member: value for member, value in equal.items() if member not in columns}
        rows = await self._execute(self._statements.find(columns), [key(equal[member]) for member in columns])
        texts = [text.encode() for (text,) in rows]
        return [text for text in texts if has_members(text, others)] if others else texts

    async def load(self, documents: Iterable[Document]) -> None:
        complete = await made_ready(self._completed, documents)
        async with self._connection() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(LOAD_TIMEOUT)
            await cursor.execute(self._statements.lock)  # readers go on, writers wait
            await cursor.execute(self._statements.delete)
            async with cursor.copy(self._statements.copy) as copy:
                for stored in complete:
                    await copy.write_row(row(stored))

    def _completed(self, documents: Iterable[Document]) -> list[StoredDocument]:
        complete = completed(self._resource, documents, self._values)
        Index.of(self._resource, complete)  # says which scope or id is there twice
        return complete

    async def close(self) -> None:
        await self._pool.close()

    async def _expect_free(self, scope: tuple[str, ...]) -> None:
        """Raises DuplicateScope when a configuration has the scope now."""
        members = self._resource.unique
        rows = await self._execute(self._statements.find(members), [key(value) for value in scope])
        if rows:
            holder = orjson.loads(rows[0][0])[self._resource.identity]
            raise DuplicateScope(dict(zip(members, scope, strict=True)), holder)

    async def _execute(self, statement: Composed, parameters: Sequence[str]) -> list[Row]:
        async with self._connection() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Row]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except UNAVAILABLE as error:
            raise unavailable(error) from error


class Statements:
    """The SQL of the store. Names come from the resource, values are always parameters."""

    def __init__(self, resource: Resource) -> None:
        names = ["identity", "created_at", "body", *resource.unique]
        columns = SQL(", ").join(map(Identifier, names))
        places = SQL(", ").join(Placeholder() * len(names))
        table = Identifier("callconfig_configurations")
        self._select = SQL("SELECT body::text FROM {}").format(table)
        self.get = self._select + SQL(" WHERE identity = %s")
        self.insert = SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING true").format(
            table, columns, places
        )
        self.update = SQL("UPDATE {} SET ({}) = ({}) WHERE identity = %s AND created_at = %s RETURNING true").format(
            table, columns, places
        )
        self.probe = SQL("SELECT {} FROM {} LIMIT 0").format(columns, table)
        self.lock = SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table)
        self.delete = SQL("DELETE FROM {}").format(table)
        self.delete_one = self.delete + SQL(" WHERE identity = %s RETURNING true")
        self.copy = SQL("COPY {} ({}) FROM STDIN").format(table, columns)

    def find(self, members: Sequence[str]) -> Composed:
        """The bodies of the rows that have these members, one parameter for each, in the order of every list."""
        conditions = [SQL("{} = %s").format(Identifier(member)) for member in members]
        where = SQL(" WHERE ") + SQL(" AND ").join(conditions) if conditions else SQL("")
        return self._select + where + SQL(" ORDER BY created_at, identity")


def row(stored: StoredDocument) -> list[str]:
    """The columns of every statement that writes: identity, created_at, body, then those of the scope."""
    return [key(stored.identity), key(stored.created_at), stored.text.decode(), *map(key, stored.scope)]


def something_to_read(connection: AsyncConnection[Row]) -> bool:
    """Whether the server said something unasked: nearly always that it hung up. Costs no round trip."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def key(text: str) -> str:
    """`text` without U+0000, which PostgreSQL cannot store: reversible, and in the same order."""
    return text.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")


def connection_parameters(location: str) -> dict[str, Any]:
    """The parts of a `postgresql://` URL with this store's defaults. Its password stays out of every message.

    Raises UnreadableStore for a URL that PostgreSQL's library, too, would misread or refuse, quoting from it.
    """
    try:
        given = conninfo_to_dict(location)
    except psycopg.ProgrammingError:
        given = None
    if given is None or "@" in str(given.get("host", "")) or not str(given.get("port", "0")).replace(",", "").isdigit():
        raise UnreadableStore(
            "the PostgreSQL URL cannot be understood; it is postgresql://user:password@host:port/database,"
            " special characters of the password percent-encoded"
        ) from None
    options = f"{STATEMENT_TIMEOUT} {given.get('options', '')}"
    return {**DEFAULTS, **given, "options": options, "client_encoding": "utf-8", "autocommit": True}


def unavailable(error: psycopg.Error) -> StoreUnavailable:
    return StoreUnavailable(f"PostgreSQL does not answer: {str(error).strip()}")


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


# Step by step from an empty schema. A step that was released is never changed: what comes later is a new step.
MIGRATIONS: tuple[Callable[[Resource], list[Composed]], ...] = (create_configurations,)


async def migrate(connection: AsyncConnection, resource: Resource) -> None:
    """Bring the tables to where this version of callconfig expects them, all of it or nothing.

    Raises UnreadableStore when they belong to a later version, or to a contract with other unique members.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
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
