"""The PostgreSQL store, which several processes and machines can share."""

import select
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import blake2b
from typing import Any, Self

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier, Placeholder
from psycopg_pool import AsyncConnectionPool

from ..contract.resource import TABLE, Resource, member_text
from .index import Index
from .store import (
    Change,
    DeletedDocument,
    Document,
    DuplicateScope,
    Store,
    StoredDocument,
    StoreUnavailable,
    UnknownDocument,
    UnreadableStore,
    Values,
    by_table,
    completed,
    expect_contract,
    has_members,
    made_ready,
    with_change,
    with_server_members,
)

DEFAULTS = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""Defaults of a connection's URL: seconds to connect, milliseconds until a silent network fails."""
STATEMENT_TIMEOUT = "-c statement_timeout=10s"
LOAD_TIMEOUT = "SET LOCAL statement_timeout = '5min'"
POOL_SIZE = 8
PATIENCE = 3
"""Seconds to wait for a connection before StoreUnavailable."""
LONGEST_NAME = 63
"""The longest identifier of PostgreSQL, in bytes."""
MIGRATION_LOCK = 0x63616C6C_636F6E66
"""The advisory lock ("callconf") under which one process migrates while the others wait."""
UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

Row = tuple[Any, ...]


class PostgreSQLStore(Store):
    """The store in one schema of a database, the first of the connection's search path.

    UNIQUE constraints decide conflicts, so any number of these can work on the same tables. Every change is one
    statement or one transaction. When the connection breaks during a write, StoreUnavailable says that the write was
    not acknowledged; whether it was made is unknown.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[Row]],
        resources: Mapping[str, Resource],
        values: Values,
        table: str,
    ) -> None:
        self._pool, self._resources, self._of_resources = pool, resources, values
        self.resource = resources[table]
        self._values = values(self.resource)
        self._statements = Statements(self.resource)

    @classmethod
    async def open(cls, location: str, resources: Sequence[Resource], values: Values, *, contract: str = "") -> Self:
        """Connect, migrate the tables, and open the pool of connections.

        Raises StoreUnavailable when the database is unreachable, UnreadableStore when its tables are for other
        resources.
        """
        parameters = connection_parameters(location)
        tables = by_table(resources)
        try:
            async with await AsyncConnection.connect(**parameters) as connection:
                encoding = connection.info.parameter_status("server_encoding")
                if encoding != "UTF8":
                    raise UnreadableStore(f"the database has the encoding {encoding}, and not every text fits into it")
                await migrate(connection, list(tables.values()), contract)
                for resource in tables.values():
                    await connection.execute(Statements(resource).probe)
        except UNAVAILABLE as error:
            raise unavailable(error) from error
        except psycopg.Error as error:
            raise UnreadableStore(f"PostgreSQL cannot be used: {error}") from error

        async def expect_alive(connection: AsyncConnection[Row]) -> None:
            if something_to_read(connection):
                await pool.check()  # the other connections have most likely lost the same server
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
        return cls(pool, tables, values, next(iter(tables)))

    def table(self, name: str) -> "PostgreSQLStore":
        return PostgreSQLStore(self._pool, self._resources, self._of_resources, name)

    async def create(self, values: Document) -> Document:
        resource = self.resource
        while True:
            now = self._values.now()
            is_named = resource.is_named_by_clients and resource.identity in values
            identity = values[resource.identity] if is_named else resource.typed(self._values.new_id())
            document = with_server_members(resource, values, identity=identity, created_at=now, updated_at=now)
            stored = StoredDocument.of(resource, document)
            if await self._execute(self._statements.insert, row(resource, stored)):
                return document
            await self._expect_free(stored)
            if is_named and await self._execute(self._statements.get, [key(stored.identity)]):
                raise DuplicateScope({resource.identity: identity}, identity)
            # The id is taken, or the scope was: try again with another id.

    async def update(self, identity: str, change: Change) -> Document:
        while True:
            text, former = await self._get(identity)
            document = with_change(self.resource, former, change, self._values.now())
            if document is None:
                if await self._execute(self._statements.remove, [key(identity), text]):
                    return former
                continue
            stored = StoredDocument.of(self.resource, document)
            columns = row(self.resource, stored)
            try:
                if await self._execute(self._statements.exchange, [*columns, *columns[:2], text]):
                    return document
            except psycopg.errors.UniqueViolation:
                await self._expect_free(stored)
            # Another client changed the document, or had its scope: try again.

    async def get(self, identity: str) -> Document:
        return (await self._get(identity))[1]

    async def _get(self, identity: str) -> tuple[str, Document]:
        rows = await self._execute(self._statements.get, [key(identity)])
        if not rows:
            raise UnknownDocument(self.resource.identified(identity))
        text: str = rows[0][0]
        document: Document = orjson.loads(text)
        if self.resource.deleted_at and document.get(self.resource.deleted_at) is not None:
            raise DeletedDocument(self.resource.identified(identity))
        return text, document

    async def find(self, **equal: Any) -> list[bytes]:
        columns = [member for member in self.resource.indexed if member in equal]
        others = {member: value for member, value in equal.items() if member not in columns}
        values = [key(member_text(equal[member]) or "") for member in columns]
        rows = await self._execute(self._statements.find(columns), values)
        texts = [text.encode() for (text,) in rows]
        return [text for text in texts if has_members(text, others)] if others else texts

    async def load(self, tables: Mapping[str, Iterable[Document]]) -> None:
        complete = {
            name: await made_ready(partial(self._completed, self._resources[name]), documents)
            for name, documents in tables.items()
        }
        async with self._connection() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(LOAD_TIMEOUT)
            for name, stored in sorted(complete.items()):  # always in the same order, which prevents deadlocks
                statements = Statements(self._resources[name])
                await cursor.execute(statements.lock)  # readers go on, writers wait
                await cursor.execute(statements.delete)
                async with cursor.copy(statements.copy) as copy:
                    for each in stored:
                        await copy.write_row(row(self._resources[name], each))

    def _completed(self, resource: Resource, documents: Iterable[Document]) -> list[StoredDocument]:
        complete = completed(resource, documents, self._of_resources(resource))
        Index.of(resource, complete)  # raises DuplicateScope with the scope or the id
        return complete

    async def close(self) -> None:
        await self._pool.close()

    async def _expect_free(self, stored: StoredDocument) -> None:
        """Raises DuplicateScope when another document has one of its scopes."""
        resource = self.resource
        for members, positions in zip(resource.combinations, resource.positions, strict=True):
            scope = [stored.scope[position] for position in positions]
            if stored.deleted or None in scope:
                continue
            rows = await self._execute(self._statements.find(members), [key(value or "") for value in scope])
            holders = [orjson.loads(text) for (text,) in rows]
            for holder in (each for each in holders if resource.key(each) != stored.identity):
                raise DuplicateScope({name: holder[name] for name in members}, holder[resource.identity])

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
    """The SQL of one table. Names come from the resource, values are always parameters."""

    def __init__(self, resource: Resource) -> None:
        self._columns = indexed_columns(resource)
        deleted = ["deleted"] if resource.deleted_at else []
        names = ["identity", "created_at", "body", *self._columns.values(), *deleted]
        columns = listed(names)
        places = SQL(", ").join(Placeholder() * len(names))
        table = Identifier(name_of(resource.table))
        self._present = [SQL("NOT deleted").format()] if resource.deleted_at else []
        self._select = SQL("SELECT body::text FROM {}").format(table)
        self.get = self._select + SQL(" WHERE identity = %s")
        insert = SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING true")
        self.insert = insert.format(table, columns, places)
        same = SQL("identity = %s AND created_at = %s AND body::text = %s")
        self.exchange = SQL("UPDATE {} SET ({}) = ({}) WHERE {} RETURNING true").format(table, columns, places, same)
        self.remove = SQL("DELETE FROM {} WHERE identity = %s AND body::text = %s RETURNING true").format(table)
        self.probe = SQL("SELECT {} FROM {} LIMIT 0").format(columns, table)
        self.lock = SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table)
        self.delete = SQL("DELETE FROM {}").format(table)
        self.copy = SQL("COPY {} ({}) FROM STDIN").format(table, columns)

    def find(self, members: Sequence[str]) -> Composed:
        """The query for the bodies of the rows with these members, a parameter for each, by created_at and id."""
        conditions = [SQL("{} = %s").format(Identifier(self._columns[member])) for member in members] + self._present
        where = SQL(" WHERE ") + SQL(" AND ").join(conditions) if conditions else SQL("")
        return self._select + where + SQL(" ORDER BY created_at, identity")


def listed(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def indexed_columns(resource: Resource) -> dict[str, str]:
    """The columns of the indexed members: their names in the first table, `member_0` and so on in others."""
    return {
        member: member if resource.table == TABLE else f"member_{number}"
        for number, member in enumerate(resource.indexed)
    }


def name_of(*parts: str) -> str:
    """An identifier for these parts, hashed where it is longer than 63 bytes, which PostgreSQL would truncate."""
    name = "_".join(("callconfig", *parts))
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{name.encode()[:40].decode(errors='ignore')}_{blake2b(name.encode(), digest_size=8).hexdigest()}"


def row(resource: Resource, stored: StoredDocument) -> list[Any]:
    """The values of a row: identity, created_at, body, then the indexed members."""
    scope = [None if value is None or stored.deleted else key(value) for value in stored.scope]
    deleted = [stored.deleted] if resource.deleted_at else []
    return [key(stored.identity), key(stored.created_at), stored.text.decode(), *scope, *deleted]


def something_to_read(connection: AsyncConnection[Row]) -> bool:
    """Whether the server sent an unexpected message, usually the end of the connection. Costs no round trip."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def key(text: str) -> str:
    """The text with U+0000, which PostgreSQL cannot store, escaped: reversible, and in the same order."""
    return text.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")


def connection_parameters(location: str) -> dict[str, Any]:
    """The parts of a `postgresql://` URL with this store's defaults. No message has its password.

    Raises UnreadableStore for a URL that PostgreSQL's library would misread, or refuse with a quotation of it.
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
    return StoreUnavailable(f"PostgreSQL does not respond: {str(error).strip()}")


def create_table(resource: Resource) -> list[Composed]:
    """The statements that create a table.

    `body` is the source: the type json keeps a text exactly, with its order of members, its numbers and U+0000.
    `document` is a copy for SQL queries: jsonb replaces U+0000 by U+FFFD, and has numbers as decimals. The key columns
    hold escaped texts, and the collation "C" orders them as Python does.
    """
    columns = indexed_columns(resource)
    parts = () if resource.table == TABLE else (resource.table,)
    texts = [
        SQL('{} text COLLATE "C"{}').format(
            Identifier(column), SQL("" if name in resource.optional_indexed or resource.deleted_at else " NOT NULL")
        )
        for name, column in columns.items()
    ]
    scopes = [
        SQL("CONSTRAINT {} UNIQUE ({})").format(
            Identifier(name_of(*parts, f"scope{number or ''}")), listed(columns[name] for name in combination)
        )
        for number, combination in enumerate(resource.combinations)
    ]
    deleted = [SQL("deleted boolean NOT NULL")] if resource.deleted_at else []
    name = Identifier(name_of(resource.table))
    table = SQL(
        r"""
        CREATE TABLE {name} (
            identity text COLLATE "C" PRIMARY KEY,
            created_at text COLLATE "C" NOT NULL,
            body json NOT NULL,
            document jsonb NOT NULL GENERATED ALWAYS AS (
                regexp_replace(body::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb
            ) STORED{more}
        )
        """
    ).format(name=name, more=SQL("").join(SQL(", {}").format(each) for each in (*texts, *deleted, *scopes)))
    order = ["created_at", "identity"]
    indexes = {"order": order, **{column: [column, *order] for column in columns.values()}}
    create = SQL("CREATE INDEX {} ON {} ({})")
    return [
        table,
        *(create.format(Identifier(name_of(*parts, index)), name, listed(each)) for index, each in indexes.items()),
    ]


VERSION = 1
"""The version of the tables. A change of them needs a step in `migrate` from this version to the next."""


async def migrate(connection: AsyncConnection, resources: Sequence[Resource], contract: str) -> None:
    """Migrate the tables to this VERSION, in one transaction.

    Raises UnreadableStore when they have a later version, another contract, or other unique members.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS callconfig_migrations"
            " (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor = await connection.execute("SELECT coalesce(max(version), 0) FROM callconfig_migrations")
        (version,) = await cursor.fetchone() or (0,)
        if version > VERSION:
            raise UnreadableStore(f"the tables have version {version}, made by a later callconfig")
        if contract:
            await name_contract(connection, resources, contract, is_new=version == 0)
        if version == 0:
            await connection.execute("INSERT INTO callconfig_migrations (version) VALUES (%s)", [VERSION])
        for resource in resources:  # also new ones of the contract
            found = await connection.execute("SELECT to_regclass(quote_ident(%s))", [name_of(resource.table)])
            if await found.fetchone() == (None,):
                for statement in create_table(resource):
                    await connection.execute(statement)


async def name_contract(
    connection: AsyncConnection, resources: Sequence[Resource], contract: str, *, is_new: bool
) -> None:
    """Record the contract of new tables. Raises UnreadableStore when the tables belong to another contract."""
    await connection.execute("CREATE TABLE IF NOT EXISTS callconfig_contract (title text NOT NULL)")
    rows = await (await connection.execute("SELECT title FROM callconfig_contract")).fetchall()
    made_for = key(contract) if is_new and not rows else rows[0][0] if rows else ""
    try:
        expect_contract(made_for, key(contract), [each.table for each in resources])
    except ValueError as error:
        raise UnreadableStore(f"the tables were {error}") from error
    if not rows:
        await connection.execute("INSERT INTO callconfig_contract VALUES (%s)", [key(contract)])
