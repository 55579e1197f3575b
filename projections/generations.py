"""The generations of a projection's tables: one is shown, a rebuild fills the next beside it."""

from domain.errors import AuditError
from projections.database import Connection
from projections.projection import Projection, Table

READER = "certinext_audit_reader"

_INDEX_SECONDS = 24 * 3600
"""An index over a large table takes longer than any other statement may."""

_COLUMNS = """
SELECT quote_ident(attname) AS name, format('%s %s %s', atttypid, atttypmod, attcollation) AS type FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attname <> 'ledger'
ORDER BY attnum
"""

# With each table, so that it comes and goes with it; none was kept by versions that did not know of it.
_SHAPES = """
SELECT obj_description(to_regclass(name), 'pg_class') FROM unnest($1::text[]) WITH ORDINALITY AS made (name, number)
ORDER BY number
"""


class NotBuilt(AuditError):
    """A projection whose tables were never made: start the service once."""


async def shown(connection: Connection, projection: str) -> int:
    """The generation that readers see. Raises NotBuilt."""
    generation: int | None = await connection.fetchval(
        "SELECT generation FROM reading.generations WHERE projection = $1", projection
    )
    if generation is None:
        raise NotBuilt(f"the projection {projection} has no tables yet")
    return generation


async def ensure(connection: Connection, projection: Projection) -> int:
    """The generation shown, after making the first if there was none."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE reading.generations IN SHARE ROW EXCLUSIVE MODE")
        try:
            return await shown(connection, projection.name)
        except NotBuilt:
            await create_tables(connection, projection, 1)
            await create_indexes(connection, projection, 1)
            await show(connection, projection, 1)
            return 1


async def in_shape(connection: Connection, projection: Projection, generation: int) -> bool:
    """Whether a generation was made by the very definitions that the projection has now."""
    kept = await connection.fetch(_SHAPES, [table.versioned(generation) for table in projection.tables])
    return [row[0] for row in kept] == [_shape(table) for table in projection.tables]


async def create_tables(connection: Connection, projection: Projection, generation: int) -> None:
    for table in projection.tables:
        await connection.execute(table.made(generation))
        await connection.execute(f"COMMENT ON TABLE {table.versioned(generation)} IS '{_shape(table)}'")


async def create_indexes(connection: Connection, projection: Projection, generation: int) -> None:
    """The indexes that serve reading: cheaper to make over a full table than to keep while it is filled."""
    for table in projection.tables:
        for statement in table.indexed(generation):
            await connection.execute(statement, timeout=_INDEX_SECONDS)


def _shape(table: Table) -> str:
    return f"shape {table.shape}"


async def show(connection: Connection, projection: Projection, generation: int) -> None:
    """Let readers see this generation from the commit of the present transaction on.

    Readers are given views that show the ledger which their transaction is bound to, and no table: row-level
    security would keep the planner from using the index of words, whose operators are not leakproof.
    """
    for table in projection.tables:
        await _show(connection, table, generation)
    await connection.execute(
        """
        INSERT INTO reading.generations (projection, generation) VALUES ($1, $2)
        ON CONFLICT (projection) DO UPDATE SET generation = EXCLUDED.generation
        """,
        projection.name,
        generation,
    )


async def _show(connection: Connection, table: Table, generation: int) -> None:
    view = f"reading.{table.name}"
    before = await connection.fetch(_COLUMNS, view)
    columns = await connection.fetch(_COLUMNS, table.versioned(generation))
    if before != columns[: len(before)]:
        # Columns of a view can only be added in place. Where they can, who was granted the view keeps it.
        await connection.execute(f"DROP VIEW {view}")
    await connection.execute(
        f"CREATE OR REPLACE VIEW {view} AS SELECT {', '.join(column['name'] for column in columns)} "
        f"FROM {table.versioned(generation)} WHERE ledger = current_setting('certinext_audit.ledger', true)"
    )
    await connection.execute(f"GRANT SELECT ON {view} TO {READER}")


async def drop(connection: Connection, projection: Projection, generation: int) -> None:
    """Remove a generation that is not shown."""
    # In the order in which projectors lock: first the tracking, then the tables.
    for kept in ("tracking", "set_aside"):
        await connection.execute(
            f"DELETE FROM reading.{kept} WHERE projection = $1 AND generation = $2",
            projection.name,
            generation,
        )
    for table in projection.tables:
        await connection.execute(f"DROP TABLE IF EXISTS {table.versioned(generation)}")
