"""Files of earlier versions of the program."""

from pathlib import Path

import apsw

from adapters.sqlite import connections


def take_back(path: Path, version: int) -> None:
    """Convert a file to that of an earlier version: its schema, with the data that fits."""
    now = path.rename(path.with_name("now.db"))
    connection = apsw.Connection(str(path))
    for step in connections._steps()[:version]:
        connection.execute(step.read_text())
    connection.execute(f"PRAGMA user_version={version}; ATTACH '{now}' AS now")
    tables = connection.execute("SELECT name FROM main.pragma_table_list WHERE type = 'table' AND schema = 'main'")
    for table in [name for (name,) in tables if not name.startswith("sqlite_")]:
        columns = ", ".join(name for (name,) in connection.execute(f"SELECT name FROM pragma_table_info('{table}')"))
        connection.execute(f"DELETE FROM main.{table}; INSERT INTO main.{table} SELECT {columns} FROM now.{table}")
    connection.execute("INSERT INTO tasks_search (tasks_search) VALUES ('rebuild')")
    connection.close()
