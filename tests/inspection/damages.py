"""Damages that SQL can do to a populated store, each with what must be found."""

from pathlib import Path

import apsw
import asyncpg
from attrs import frozen

_UTF8 = "CAST(X'41ff' AS TEXT)"


def _swapped(table: str, old: str, new: str, where: str) -> str:
    """Return the statement that replaces a part of documents."""
    return f"UPDATE {table} SET document = replace(document, '{old}', '{new}') WHERE {where}"


@frozen
class Damage:
    """Statements for both stores, or for one of them, and parts of the lines that must be found."""

    does: str
    said: tuple[str, ...]
    sqlite: str | None = None  # where it differs from `does`
    postgres: str | None = None

    def statements(self, url: str) -> str:
        """Return the statements for the store at a URL; empty where it cannot be damaged so."""
        own = self.sqlite if url.startswith("sqlite") else self.postgres
        return self.does if own is None else own


DAMAGES = {
    "a row without its change": Damage(
        "DELETE FROM changes WHERE number = 7",
        (
            "last change: task 4 has no change in the log, though none was ever purged",
            "log: change 7 is missing from the log",
        ),
    ),
    "a change without its row": Damage(
        "DELETE FROM tasks WHERE id = 4",
        ("last change: task 4 has no row, though its last change, 7, has the type task.created",),
        sqlite="INSERT INTO tasks_search (tasks_search, rowid, search) VALUES ('delete', 4, 'four u\x1f');"
        " DELETE FROM tasks WHERE id = 4",
    ),
    "a wrong sort key": Damage(
        "UPDATE tasks SET title_key = 'zzz' WHERE id = 1",
        ("sort key: task 1 title_key is 'zzz', and should be 'uno'",),
    ),
    "a wrong rank": Damage(
        "UPDATE tasks SET status = 3 WHERE id = 1", ("sort key: task 1 status is 3, and should be 0",)
    ),
    "a sort key that is missing": Damage(
        "UPDATE tasks SET due = NULL WHERE id = 1", ("sort key: task 1 due is None, and should be",)
    ),
    "a wrong price": Damage("UPDATE products SET price = 1 WHERE id = 1", ("sort key: product 1 price is ",)),
    "a wrong text to search": Damage(
        "UPDATE tasks SET search = 'other' WHERE id = 2",
        ("sort key: task 2 search is 'other', and should be 'two\\x1f'",),
    ),
    "text folded in another way": Damage(
        "UPDATE tasks SET title_key = 'four \u00fc' WHERE id = 4",
        ("sort key: task 4 title_key is 'four \u00fc', and should be 'four u'",),
    ),
    "a gap in the log": Damage(
        "DELETE FROM changes WHERE number IN (9, 10)",
        ("log: changes 9 to 10 are missing from the log", "last change: task 2 has version 3"),
    ),
    "a gap at the start": Damage("DELETE FROM changes WHERE number = 1", ("log: change 1 is missing from the log",)),
    "a change behind the end": Damage(
        "",
        ("log: change 13 is in the log, which should have 1 to 12",),
        sqlite="UPDATE log SET newest = 12",
        postgres="",
    ),
    "a change before the start": Damage(
        "UPDATE log SET forgotten = 4",
        ("log: change 4 is in the log, which should have 5 to 13",),
        postgres="UPDATE forgotten SET number = 4 WHERE kind = ''",
    ),
    "the newest changes": Damage(
        "DELETE FROM changes WHERE number > 11",
        ("log: changes 12 to 13 are missing from the log",),
        postgres="",
    ),
    "changes in another order": Damage(
        "UPDATE changes SET number = 100 WHERE number = 8; UPDATE changes SET number = 8 WHERE number = 12;"
        " UPDATE changes SET number = 12 WHERE number = 100",
        ("chain: change 8 makes version 3 of task 1, and 12 made the one before",),
    ),
    "a version that jumps": Damage(
        "UPDATE changes SET version = 5 WHERE number = 12",
        (
            "chain: change 12 makes version 5 of task 1, and the one before, 8, made 2",
            "last change: task 1 has version 3, and its last change, 12, made version 5",
        ),
    ),
    "a version in the row": Damage(
        "UPDATE tasks SET version = 9 WHERE id = 1",
        ("last change: task 1 has version 9", "document: task 1 version in the document is 3, and should be 9"),
    ),
    "another document than the last change": Damage(
        _swapped("tasks", '"uno"', '"due"', "id = 1"),
        ("last change: task 1 differs from its last change, 12, in title",),
    ),
    "a deleted entity that is there": Damage(
        "UPDATE changes SET action = 'deleted' WHERE number = 12",
        ("last change: task 1 has a row, though its last change, 12, deleted it",),
    ),
    "an unknown action": Damage(
        "UPDATE changes SET action = 'exploded' WHERE number = 12",
        ("chain: change 12 of task 1 has the unknown type 'task.exploded'",),
    ),
    "an action out of turn": Damage(
        "UPDATE changes SET action = 'restored' WHERE number = 8",
        ("chain: change 8 of task 1 has the type task.restored, and the one before, 1, task.created",),
    ),
    "an unknown type": Damage(
        "UPDATE changes SET kind = 'tusk' WHERE number = 12",
        (
            "log: change 12 has the unknown type 'tusk.updated'",
            "last change: task 1 has version 3, and its last change, 8, made version 2",
        ),
    ),
    "wrong names of fields": Damage(
        "UPDATE changes SET changed = 'notes' WHERE number = 8",
        ("chain: change 8 changed is 'notes', and should be 'title'",),
    ),
    "a creation that moves": Damage(
        _swapped("changes", '"created_at":"2026', '"created_at":"2025', "number = 8"),
        ("chain: change 8 created_at is '2025", "chain: change 12 created_at is '2026"),
    ),
    "a time that runs back": Damage(
        _swapped("changes", '"updated_at":"2026', '"updated_at":"2027', "number = 8"),
        ("chain: change 12 of task 1 has updated_at 2026",),
    ),
    "broken JSON": Damage(
        "UPDATE tasks SET document = '{' || document WHERE id = 1",
        ("document: task 1 has a document that cannot be read: ", "last change: task 1 differs"),
    ),
    "broken JSON in the log": Damage(
        "UPDATE changes SET document = '{' || document WHERE number = 8",
        ("document: change 8 has a document that cannot be read: ",),
    ),
    "JSON that is no object": Damage(
        "UPDATE tasks SET document = '[]' WHERE id = 1", ("document: task 1 has a document that cannot be read: ",)
    ),
    "a missing field": Damage(
        _swapped("tasks", '"title":', '"tilte":', "id = 1"),
        ("document: task 1 has a document that cannot be read: 'title'",),
    ),
    "no choice": Damage(
        _swapped("tasks", '"pending"', '"exploded"', "id = 1"),
        ("document: task 1 has a document that cannot be read: status is 'exploded'",),
    ),
    "another form": Damage(
        _swapped("tasks", ',"', ', "', "id = 1"),
        ("document: task 1 has a document in another form than backroom writes",),
    ),
    "another id": Damage(
        _swapped("tasks", '"id":1,', '"id":8,', "id = 1"),
        ("document: task 1 id in the document is 8, and should be 1",),
    ),
    "a broken rule": Damage(
        _swapped("tasks", '"uno"', '" "', "id = 1"),
        ("rule: task 1 breaks a rule: title is required",),
    ),
    "a wrong type": Damage(
        _swapped("tasks", '"uno"', "5", "id = 1"),
        ("rule: task 1 breaks a rule: title must be text",),
    ),
    "text that is not in its stored form": Damage(
        _swapped("tasks", '"uno"', '" uno"', "id = 1"),
        ("rule: task 1 breaks a rule: title is not in its stored form",),
    ),
    "a contradiction": Damage(
        _swapped("tasks", '"pending"', '"done"', "id = 1"),
        ("rule: task 1 breaks a rule: completed_at must be there",),
    ),
    "a value that two have": Damage(
        "UPDATE products SET document = replace(document, '\"B-1\"', '\"A-1\"'), sku_key = 'a-1',"
        " search = replace(search, 'b-1', 'a-1') WHERE id = 2;"
        " UPDATE changes SET document = replace(document, '\"B-1\"', '\"A-1\"')",
        ("unique: product 2 sku is 'A-1', which product 1 has, too",),
        postgres="ALTER TABLE products DROP CONSTRAINT products_sku_taken;"
        " UPDATE products SET document = replace(document, '\"B-1\"', '\"A-1\"'), sku_key = 'a-1', sku = 'A-1',"
        " search = replace(search, 'b-1', 'a-1') WHERE id = 2;"
        " UPDATE changes SET document = replace(document, '\"B-1\"', '\"A-1\"')",
    ),
    "an id above the counter": Damage(
        "UPDATE collections SET last_id = 3 WHERE kind = 'task'",
        ("id: task 4 has an id above 3, the last that was given",),
        postgres="SELECT setval('tasks_ids', 3)",
    ),
    "a position behind the end": Damage(
        "UPDATE positions SET number = 99",
        ("webhook: webhook 1 has the position 99, and the log ends with 13",),
    ),
    "a webhook without a position": Damage("DELETE FROM positions", ("webhook: webhook 1 has no position in the log",)),
    "a position without a webhook": Damage(
        "INSERT INTO positions (webhook, number) VALUES (7, 1)",
        ("webhook: the position of webhook 7 is of no webhook that exists",),
    ),
    "a delivery in no state": Damage(
        "UPDATE deliveries SET status = 'lost'", ("delivery: a row of table deliveries cannot be read: ",)
    ),
    "attempts that cannot be read": Damage(
        "UPDATE deliveries SET attempts = '['", ("delivery: a row of table deliveries cannot be read: ",)
    ),
    "a delivery of no known type": Damage(
        "UPDATE deliveries SET type = 'tusk.created'", ("delivery: delivery d1 has the unknown type 'tusk.created'",)
    ),
    "a delivery of another log": Damage(
        "UPDATE deliveries SET after = 'zzz-1'", ("delivery: delivery d1 is of a change behind 'zzz-1', no cursor",)
    ),
    "a delivery that is done and due": Damage(
        "UPDATE deliveries SET status = 'delivered'", ("delivery: delivery d1 is delivered, and has a next attempt",)
    ),
    "a delivery to nobody": Damage(
        "UPDATE deliveries SET webhook = 7",
        ("delivery: delivery d1 is to webhook 7, which does not exist",),
        postgres="",
    ),
    "an outcome that cannot be read": Damage(
        "UPDATE receipts SET receipt = X'7b22'",
        ("outcome: the outcome of the idempotency key 'k' of the caller 'me' cannot be read: ",),
        postgres="UPDATE receipts SET receipt = '\\x7b22'",
    ),
    "an outcome of no known result": Damage(
        'UPDATE receipts SET receipt = CAST(\'{"form":1,"results":[{"result":"Lost"}]}\' AS BLOB)',
        ("outcome: the outcome of the idempotency key 'k' of the caller 'me' cannot be read: ",),
        postgres='UPDATE receipts SET receipt = convert_to(\'{"form":1,"results":[{"result":"Lost"}]}\', \'UTF8\')',
    ),
    "a key without a scope": Damage(
        "UPDATE access_keys SET scope = 'all'", ("key: a row of table access_keys cannot be read: ",)
    ),
    "a key without a name": Damage(
        "UPDATE access_keys SET name = '' WHERE id = 2", ("key: key 2 breaks a rule: name ",)
    ),
    "a key without its end": Damage(
        "UPDATE access_keys SET last_four = '' WHERE id = 2", ("key: key 2 has '' as its last 4 characters",)
    ),
    "a hash that is none": Damage(
        "UPDATE credentials SET hash = X'00' WHERE key = 1 AND type = 'key'",
        ("key: a credential of key 1 has a hash of 1 bytes, and should have 32",),
        postgres="UPDATE credentials SET hash = '\\x00' WHERE key = 1 AND type = 'key'",
    ),
    "a session for ever": Damage(
        "UPDATE credentials SET expires_at = NULL WHERE type = 'session' AND key = 1",
        ("key: a credential of key 1 is a session, and never expires",),
    ),
    "a credential of no key": Damage(
        "DELETE FROM access_keys WHERE id = 2", ("key: a credential of key 2 is of no key that exists",), postgres=""
    ),
    "a calendar without a name": Damage(
        "UPDATE calendars SET name = ''", ("calendar: calendar 1 breaks a rule: name is required",)
    ),
    "a calendar in no form": Damage(
        "UPDATE calendars SET form = 'list'", ("calendar: a row of table calendars cannot be read: ",)
    ),
    "a former cursor behind the end": Damage(
        "INSERT INTO former_cursors (cursor, number) VALUES ('zzz-1', 99)",
        (
            "cursor: the former cursor 'zzz-1' is of no log that this one ever was",
            "cursor: the former cursor 'zzz-1' is behind change 99, and the log ends with 13",
        ),
    ),
    "a former name with later changes": Damage(
        "INSERT INTO former_logs VALUES ('zzz', 99)",
        ("log: the log shares changes up to 99 with its former name 'zzz', and ends with 13",),
        postgres="INSERT INTO log_names (epoch, name, home, newest) VALUES (0, 'zzz', '', 99)",
    ),
    "a name that is none": Damage(
        "UPDATE log SET name = 'a-b'",
        ("log: the log has the name 'a-b', which is not 1 to 32 letters and digits",),
        postgres="UPDATE log_names SET name = 'a-b'",
    ),
    "a short secret": Damage(
        "UPDATE log SET secret = X'00'",
        ("log: the secret has 1 bytes, and should have 32",),
        postgres="UPDATE secrets SET secret = '\\x00'",
    ),
    "two logs": Damage(
        "INSERT INTO log SELECT * FROM log", ("log: table log has 2 rows, and should have 1",), postgres=""
    ),
    "two secrets": Damage(
        "", ("log: table secrets has 2 rows, and should have 1",), postgres="INSERT INTO secrets SELECT * FROM secrets"
    ),
    "a log without a start": Damage(
        "",
        ("log: table forgotten has no row of no type, where the log begins",),
        postgres="DELETE FROM forgotten WHERE kind = ''",
    ),
    "a wrong revision": Damage(
        "UPDATE collections SET revision = 3 WHERE kind = 'task'",
        ("log: table collections, task has the revision 3, and its last change is 12",),
        postgres="",
    ),
    "a missing index": Damage(
        "DROP INDEX tasks_due",
        ("index: index tasks_due of table tasks is missing",),
        postgres="",
    ),
    "a missing index in PostgreSQL": Damage(
        "", ("index: index tasks_due_up is missing, and should be: ",), sqlite="", postgres="DROP INDEX tasks_due_up"
    ),
    "another index": Damage(
        "DROP INDEX tasks_due; CREATE INDEX tasks_due ON tasks (id)",
        ("index: index tasks_due is CREATE INDEX tasks_due ON tasks (id), and should be ",),
        postgres="",
    ),
    "a missing constraint": Damage(
        "",
        ("schema: constraint products_sku_taken is missing, and should be: UNIQUE (sku)",),
        sqlite="",
        postgres="ALTER TABLE products DROP CONSTRAINT products_sku_taken",
    ),
    "a missing table": Damage(
        "DROP TABLE deliveries",
        ("schema: table deliveries",),
    ),
    "a missing column": Damage(
        "ALTER TABLE changes DROP COLUMN reason",
        ("schema: table changes", "page: table changes cannot be read any further: "),
    ),
    "a missing table of entities": Damage(
        "DROP TABLE products",
        ("schema: table products",),
    ),
    "text that is no UTF-8": Damage(
        f"UPDATE tasks SET title_key = {_UTF8} WHERE id = 4",
        ("sort key: task 4 title_key is 'A\\\\xff', and should be 'four u'",),
        postgres="",
    ),
    "a row with text that is no UTF-8": Damage(
        f"UPDATE access_keys SET name = {_UTF8} WHERE id = (SELECT min(id) FROM access_keys)",
        ("key: a row of table access_keys cannot be read: ",),
        postgres="",
    ),
    "searched text that is no UTF-8": Damage(
        f"UPDATE tasks SET search = {_UTF8} WHERE id = 4",
        ("page: table tasks_search cannot be checked any further: ",),
        postgres="",
    ),
    "a missing trigram": Damage(
        "INSERT INTO tasks_search (tasks_search, rowid, search) VALUES ('delete', 2, 'two')",
        ("search index: task 2 is not found by 'two', which its text has",),
        postgres="",
    ),
    "a trigram too many": Damage(
        "INSERT INTO tasks_search (rowid, search) VALUES (2, 'xyz')",
        ("search index: task 2 is found by 'xyz', which its text does not have",),
        postgres="",
    ),
    "a search index without its data": Damage(
        "DELETE FROM tasks_search_data WHERE id > 10",
        ("search index: ",),
        postgres="",
    ),
}

SOUND = {
    "a restore from before it had a type": "UPDATE changes SET action = 'created' WHERE number = 10",
    "a log that was purged before it had numbers": (
        "DELETE FROM changes WHERE number <= 9; UPDATE changes SET number = number - 9; UPDATE positions SET number = 0"
    ),
}
"""What looks like damage, and is none."""

NUMBERED_LATE = {
    "sqlite": "INSERT INTO former_logs VALUES ('old', NULL); UPDATE log SET newest = 4;"
    " UPDATE collections SET revision = CASE kind WHEN 'task' THEN 3 WHEN 'product' THEN 4 ELSE 0 END",
    "postgresql": "INSERT INTO log_names (epoch, name, home) VALUES (0, 'old', '')",
}


async def do(url: str, statements: str) -> None:
    """Carry out statements in the store at a URL."""
    if url.startswith("sqlite"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)  # the tables of the search index may be written
        connection.execute(statements)
        connection.close()
        return
    database = await asyncpg.connect(url)
    await database.execute(statements)
    await database.close()


def bytes_of(file: Path) -> dict[str, bytes]:
    """Return the file of a store and those beside it, with what they hold."""
    return {each.name: each.read_bytes() for each in file.parent.glob(f"{file.name}*")}
