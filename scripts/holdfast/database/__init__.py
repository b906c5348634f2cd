"""
SQLite databases: opened read-only and consistent, or for one change; copied page by page.

The only part that knows sqlite3 and sqlite-utils. One SQLite library serves the whole process:
two of them would drop each other's file locks (sqlite.org/howtocorrupt.html, 2.2.1).
"""

from holdfast.database.connections import (
    building,
    commit,
    exclusive,
    finished,
    for_change,
    let_go,
    moment_of,
    read_only,
    require_database,
    scratch,
    see_now,
    set_journal_mode,
    text_as,
)
from holdfast.database.copies import (
    complain_of_damage,
    converge,
    copy_aside,
    copy_database,
    copy_pages,
    looking_for_damage,
)
from holdfast.database.health import Health, health_of
from holdfast.database.library import (
    DEFAULT_WAIT_SECONDS,
    FIRST_SOUND_SQLITE,
    SQLITE_VERSION,
    Connection,
    IntegrityError,
    OperationalError,
    is_invalid_text,
    is_readable,
    is_refusal,
    quote_identifier,
    quote_text,
    shadow_tables,
    sqlite_version,
    translated_errors,
    unmakeable,
)
from holdfast.database.sidecars import complain_of_name, move_with_sidecars, sidecars
from holdfast.database.writing import (
    create_database,
    insert_row,
    insert_rows,
    run_definition,
    upsert_row,
)

__all__ = [
    "DEFAULT_WAIT_SECONDS",
    "FIRST_SOUND_SQLITE",
    "SQLITE_VERSION",
    "Connection",
    "Health",
    "IntegrityError",
    "OperationalError",
    "building",
    "commit",
    "complain_of_damage",
    "complain_of_name",
    "converge",
    "copy_aside",
    "copy_database",
    "copy_pages",
    "create_database",
    "exclusive",
    "finished",
    "for_change",
    "health_of",
    "insert_row",
    "insert_rows",
    "is_invalid_text",
    "is_readable",
    "is_refusal",
    "let_go",
    "looking_for_damage",
    "moment_of",
    "move_with_sidecars",
    "quote_identifier",
    "quote_text",
    "read_only",
    "require_database",
    "run_definition",
    "scratch",
    "see_now",
    "set_journal_mode",
    "shadow_tables",
    "sidecars",
    "sqlite_version",
    "text_as",
    "translated_errors",
    "unmakeable",
    "upsert_row",
]
