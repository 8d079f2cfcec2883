"""A SQL query over files, such as ``SELECT * FROM 'sales/*.parquet' WHERE year > 2020``."""

from __future__ import annotations

import os
import re
from typing import Any

from fastmlp.checks.errors import shown
from fastmlp.tables.database import errors_as_values
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, table_of

_BEGINNING = re.compile(r"(?:\s|--.*\n|\()*(?:SELECT|WITH|FROM)\s", re.IGNORECASE)


def recognises(source: object) -> bool:
    """Whether this is a text that begins like a query, and no file has that name."""
    return isinstance(source, str) and _BEGINNING.match(source) is not None and not os.path.exists(source)


def read(connection: Any, source: str, options: Options) -> Table:
    """The rows of the query. It sees files, and no variable of the program; it can only read.

    Raises ``ValueError`` if it is not one SELECT statement, or the database refuses it.
    """
    import duckdb

    origin = f"the query {shown(' '.join(source.split()), 60)}"
    options.only(origin, "SQL", "null")
    with errors_as_values(origin):
        statements = connection.extract_statements(source)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise ValueError(f"{origin} must be one SELECT statement")
        query = f"{statements[0].query.strip().rstrip(';')}\n"  # a comment at its end must not swallow what follows
        return table_of(connection, f"SELECT * FROM ({query})", [], origin, null=options.null, lazy=options.lazy)
