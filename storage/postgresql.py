"""The PostgreSQL store: ConfigurationStore for several processes and machines, which share what is stored."""

import select
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier, Placeholder
from psycopg_pool import AsyncConnectionPool

from ..contract.resource import Resource
from .document import completed, from_json, has_members, instant, scope_of, to_json, with_server_members
from .documents import Documents
from .migrations import migrate
from .store import (
    Document,
    DuplicateScope,
    ServerValues,
    StoreUnavailable,
    UnknownConfiguration,
    UnreadableStore,
)

DEFAULTS = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""Of a connection, where its URL says nothing: seconds to connect, milliseconds until a silent network is given up."""
STATEMENT_TIMEOUT = "-c statement_timeout=10s"
LOAD_TIMEOUT = "SET LOCAL statement_timeout = '5min'"
POOL_SIZE = 8
PATIENCE = 3
"""Seconds to wait for a connection before saying that the database does not answer."""
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
        scope = scope_of(self._resource, values)
        while True:
            now = self._values.now()
            document = with_server_members(
                self._resource, values, identity=self._values.new_id(), created_at=now, updated_at=now
            )
            text = to_json(document)
            if await self._execute(self._statements.insert, self._row(document, text)):
                return from_json(text)
            await self._expect_free(scope)
            # The id is taken, or the scope was and is free again by now: another id, another attempt.

    async def replace(self, identity: str, values: Document) -> Document:
        scope = scope_of(self._resource, values)
        while True:
            created_at = (await self.get(identity))[self._resource.created_at]
            document = with_server_members(
                self._resource, values, identity=identity, created_at=created_at, updated_at=self._values.now()
            )
            text = to_json(document)
            try:
                row = self._row(document, text)
                if await self._execute(self._statements.update, [*row, *row[:2]]):
                    return from_json(text)
            except psycopg.errors.UniqueViolation:
                await self._expect_free(scope)
            # By now it is gone or another one, or its scope is free again: another look.

    async def get(self, identity: str) -> Document:
        rows = await self._execute(self._statements.get, [key(identity)])
        if not rows:
            raise UnknownConfiguration(identity)
        return from_json(rows[0][0].encode())

    async def find(self, **equal: str) -> list[bytes]:
        columns = [member for member in self._resource.unique if member in equal]
        others = {member: value for member, value in equal.items() if member not in columns}
        rows = await self._execute(self._statements.find(columns), [key(equal[member]) for member in columns])
        texts = [text.encode() for (text,) in rows]
        return [text for text in texts if has_members(text, others)] if others else texts

    async def load(self, documents: Iterable[Document]) -> None:
        complete = Documents.of(self._resource, completed(self._resource, documents, self._values))
        rows = [self._row(from_json(text), text) for text in complete.texts()]
        async with self._connection() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(LOAD_TIMEOUT)
            await cursor.execute(self._statements.lock)  # readers go on, writers wait
            await cursor.execute(self._statements.delete)
            async with cursor.copy(self._statements.copy) as copy:
                for row in rows:
                    await copy.write_row(row)

    async def close(self) -> None:
        await self._pool.close()

    async def _expect_free(self, scope: tuple[str, ...]) -> None:
        """Raises DuplicateScope when a configuration has the scope now."""
        members = self._resource.unique
        rows = await self._execute(self._statements.find(members), [key(value) for value in scope])
        if rows:
            holder = from_json(rows[0][0].encode())
            raise DuplicateScope(dict(zip(members, scope, strict=True)), holder[self._resource.identity])

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

    def _row(self, document: Document, text: bytes) -> list[str]:
        """The columns of COLUMNS, then those of the scope."""
        created_at = instant(document[self._resource.created_at])
        scope = scope_of(self._resource, document)
        return [key(document[self._resource.identity]), key(created_at), text.decode(), *map(key, scope)]


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
        self.copy = SQL("COPY {} ({}) FROM STDIN").format(table, columns)

    def find(self, members: Sequence[str]) -> Composed:
        """The bodies of the rows that have these members, one parameter for each, in the order of every list."""
        conditions = [SQL("{} = %s").format(Identifier(member)) for member in members]
        where = SQL(" WHERE ") + SQL(" AND ").join(conditions) if conditions else SQL("")
        return self._select + where + SQL(" ORDER BY created_at, identity")


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
