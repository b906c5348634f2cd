"""The sample database: rich enough to try everything on, and the same wherever it is made."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from holdfast import database, sample
from holdfast.errors import WriteFailed

ROW_COUNTS = {
    "activity_log": 640,
    "calendar_events": 330,
    "commitments": 96,
    "communication_insights": 60,
    "contact_interactions": 456,
    "contact_relationships": 110,
    "contacts": 210,
    "conversation_metrics": 80,
    "emails": 1480,
    "entity_tags": 388,
    "follow_ups": 96,
    "generated_views": 18,
    "milestones": 62,
    "modules": 9,
    "notes": 230,
    "projects": 24,
    "relationship_scores": 180,
    "soy_meta": 7,
    "tags": 24,
    "tasks": 340,
    "transcript_participants": 120,
    "transcripts": 40,
}
DIGEST = "517f48cb30cc65e5f1fa31a425dcfffe7a1a3f36ffb1a76207bbd65a8153fa73"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample.db"
    sample.build_sample(path)
    return path


@pytest.fixture(scope="module")
def connection(path):
    with database.read_only(path) as connection:
        yield connection


def rows_of(connection, query):
    return [tuple(row) for row in connection.execute(query)]


def content_digest(connection):
    """The hash of every value; in ASCII, since what `repr` escapes depends on Python's Unicode."""
    digest = hashlib.sha256()
    for table in ROW_COUNTS:
        for row in rows_of(connection, f"SELECT * FROM {table} ORDER BY 1, 2, 3"):
            digest.update(f"{table} {row!a}\n".encode())
    return digest.hexdigest()


def test_every_python_on_every_machine_makes_the_same_content(connection):
    assert content_digest(connection) == DIGEST


def test_a_second_build_has_the_same_tables_indexes_and_rows(connection, tmp_path):
    sample.build_sample(tmp_path / "again.db")
    with database.read_only(tmp_path / "again.db") as again:
        assert content_digest(again) == content_digest(connection)
        schema = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
        assert rows_of(again, schema) == rows_of(connection, schema)


def test_an_installed_package_brings_its_own_definition(tmp_path, monkeypatch):
    (tmp_path / "holdfast" / "data" / "sample").mkdir(parents=True)
    (tmp_path / "holdfast" / "data" / "sample" / "schema.sql").write_text("-- installed")
    monkeypatch.setattr(sample, "__file__", str(tmp_path / "holdfast" / "sample.py"))
    assert sample._definition("schema.sql") == "-- installed"


def test_an_existing_file_is_left_as_it_is(tmp_path):
    (tmp_path / "sample.db").write_bytes(b"mine")
    with pytest.raises(WriteFailed):
        sample.build_sample(tmp_path / "sample.db")
    assert (tmp_path / "sample.db").read_bytes() == b"mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["sample.db"]


def test_it_has_the_22_tables_of_software_of_you_and_5000_rows(connection):
    names = rows_of(
        connection,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'",
    )
    counts = {name: rows_of(connection, f"SELECT count(*) FROM {name}")[0][0] for (name,) in names}
    assert counts == ROW_COUNTS
    assert sum(counts.values()) == 5000


def test_it_is_sound_keeps_its_references_and_logs_ahead(connection):
    assert rows_of(connection, "PRAGMA integrity_check") == [("ok",)]
    assert rows_of(connection, "PRAGMA foreign_key_check") == []
    assert rows_of(connection, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize("table", ["notes", "activity_log", "entity_tags", "generated_views"])
def test_what_names_its_entity_without_a_foreign_key_finds_it(connection, table):
    types = rows_of(connection, f"SELECT DISTINCT entity_type FROM {table} WHERE entity_id NOTNULL")
    assert types
    for (entity_type,) in types:
        lost = f"""
            SELECT entity_id FROM {table} WHERE entity_type = '{entity_type}'
            EXCEPT SELECT id FROM {entity_type}s"""
        assert rows_of(connection, lost) == []


def test_its_references_cascade_set_null_refuse_and_point_into_their_own_table(connection):
    references = {
        (table, row[3]): (row[2], row[6])
        for table in ROW_COUNTS
        for row in rows_of(connection, f"PRAGMA foreign_key_list({table})")
    }
    assert references["tasks", "project_id"] == ("projects", "CASCADE")
    assert references["tasks", "parent_id"] == ("tasks", "CASCADE")
    assert references["emails", "contact_id"] == ("contacts", "SET NULL")
    assert references["transcripts", "source_email_id"] == ("emails", "NO ACTION")
    assert len(references) == 26
    for (table, column), (parent, _) in references.items():
        used = f"SELECT count(DISTINCT {column}) FROM {table}"
        assert rows_of(connection, used)[0][0] > 1, f"{table}.{column} to {parent} is hardly used"


def test_a_subtask_belongs_to_the_project_of_its_task(connection):
    query = """
        SELECT count(*), count(DISTINCT tasks.id), sum(tasks.project_id = parent.project_id)
        FROM tasks JOIN tasks AS parent ON parent.id = tasks.parent_id"""
    ((pairs, subtasks, same_project),) = rows_of(connection, query)
    assert pairs == subtasks == same_project > 50


def test_it_has_partial_unique_and_expression_indexes_and_views_that_answer(connection):
    partial = [
        (index[1], index[2])
        for table in ROW_COUNTS
        for index in rows_of(connection, f"PRAGMA index_list({table})")
        if index[4]
    ]
    assert sorted(partial) == [
        ("idx_contacts_email", 1),
        ("idx_emails_unread", 0),
        ("idx_follow_ups_pending", 0),
    ]
    assert rows_of(connection, "PRAGMA index_info(idx_contacts_name)") == [(0, -2, None)]
    assert rows_of(connection, "SELECT count(*), sum(emails) FROM v_contact_summary") == [
        (210, 1480)
    ]
    assert rows_of(connection, "SELECT count(*), sum(tasks) FROM v_project_progress") == [(24, 340)]


def test_ids_of_deleted_rows_are_not_given_again(connection):
    query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    assert connection.execute(query, ["contacts"]).fetchone()[0] == 230
    assert rows_of(connection, "SELECT max(id), count(*) FROM contacts") == [(214, 210)]
    names = "SELECT count(*), count(DISTINCT name) FROM sqlite_sequence"
    assert rows_of(connection, names) == [(19, 19)]


def test_composite_and_text_keys_are_there(connection):
    keys = {
        table: [row[1] for row in rows_of(connection, f"PRAGMA table_info({table})") if row[5]]
        for table in ("entity_tags", "soy_meta", "modules", "activity_log")
    }
    assert keys == {
        "entity_tags": ["entity_type", "entity_id", "tag_id"],
        "soy_meta": ["key"],
        "modules": ["name"],
        "activity_log": ["id"],
    }


def test_it_has_never_been_backed_up(connection):
    keys = [key for (key,) in rows_of(connection, "SELECT key FROM soy_meta")]
    assert "sample" in keys and "sample_version" in keys
    assert "last_backup_at" not in keys


AWKWARD_ROWS = {
    "the least integer": "emails WHERE fingerprint = -9223372036854775807 - 1",
    "the greatest integer": "emails WHERE fingerprint = 9223372036854775807",
    "an integer that no double holds": "emails WHERE fingerprint = 9007199254740993",
    "a missing REAL": "projects WHERE budget IS NULL",
    "a BLOB": "contacts WHERE typeof(avatar) = 'blob' AND length(avatar) > 40",
    "a BLOB that reads as text": "contacts WHERE avatar = x'706c61696e2074657874'",
    "an empty BLOB": "contacts WHERE avatar = x''",
    "no BLOB": "contacts WHERE avatar IS NULL",
    "NULL for text": "contacts WHERE email IS NULL",
    "empty text": "contacts WHERE email = ''",
    "empty text where NULL is forbidden": "notes WHERE content = ''",
    "text over 20 KB": "notes WHERE length(CAST(content AS BLOB)) > 20480",
    "JSON in text": "emails WHERE json_extract(labels, '$[0]') = 'INBOX'",
    "text that is nearly JSON": "notes WHERE content GLOB '{*' AND NOT json_valid(content)",
    "text that looks like our BLOBs": "notes WHERE content GLOB '{\"$base64\": *'",
    "emoji that are joined": "notes WHERE instr(content, '\U0001f468\u200d\U0001f469\u200d')",
    "composed characters": "notes WHERE instr(content, 'caf\u00e9')",
    "combining characters": "notes WHERE instr(content, 'cafe\u0301')",
    "a right-to-left embedding": "notes WHERE instr(content, '\u202b')",
    "Arabic": "contacts WHERE name GLOB '*[\u0627-\u064a]*'",
    "Hebrew": "contacts WHERE name GLOB '*[\u05d0-\u05ea]*'",
    "Hindi": "contacts WHERE name GLOB '*[\u0905-\u0939]*'",
    "Greek": "contacts WHERE name GLOB '*[\u03b1-\u03c9]*'",
    "Ukrainian": "contacts WHERE name GLOB '*[\u0430-\u044f]*'",
    "Japanese": "contacts WHERE name GLOB '*[\u3041-\u3096]*'",
    "a character beyond 16 bits": "contacts WHERE instr(name, '\U00020bb7')",
    "a quote in a name": "contacts WHERE instr(name, 'O''Sample')",
}


@pytest.mark.parametrize("rows", AWKWARD_ROWS.values(), ids=AWKWARD_ROWS.keys())
def test_awkward_values_are_there(connection, rows):
    assert rows_of(connection, f"SELECT count(*) FROM {rows}")[0][0] > 0


def test_awkward_reals_are_there_to_the_last_bit(connection):
    reals = [
        real for (real,) in rows_of(connection, "SELECT sentiment FROM communication_insights")
    ]
    assert {1e-300, 1e300, 5e-324, 1.7976931348623157e308, -273.15, 0.1} <= set(reals)
    assert all(type(real) is float for real in reals)
    assert rows_of(connection, "SELECT budget FROM projects")[0] == (0.30000000000000004,)


def test_the_pictures_are_valid(connection):
    """Each chunk of a PNG has a checksum; its pixels unpack to one row of one pixel."""
    pictures = rows_of(
        connection, "SELECT DISTINCT avatar FROM contacts WHERE hex(avatar) LIKE '89504E47%'"
    )
    assert len(pictures) == 3
    for (picture,) in pictures:
        position, chunks = 8, {}
        while position < len(picture):
            (length,) = struct.unpack_from(">I", picture, position)
            kind_and_content = picture[position + 4 : position + 8 + length]
            check = struct.unpack_from(">I", picture, position + 8 + length)
            assert check == (zlib.crc32(kind_and_content),)
            chunks[kind_and_content[:4]] = kind_and_content[4:]
            position += 12 + length
        assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
        assert len(zlib.decompress(chunks[b"IDAT"])) == 4


def test_nobody_real_can_be_reached(connection):
    addresses = rows_of(
        connection,
        """SELECT email FROM contacts WHERE email <> ''
        UNION SELECT from_address FROM emails
        UNION SELECT value FROM emails, json_each(to_addresses)""",
    )
    reserved = ("example.com", "example.org", "example.net", ".example", ".invalid")
    assert len(addresses) > 150
    assert [address for (address,) in addresses if not address.endswith(reserved)] == []
    phones = rows_of(connection, "SELECT phone FROM contacts WHERE phone <> ''")
    assert [phone for (phone,) in phones if not phone.startswith("+1 202 555 01")] == []
