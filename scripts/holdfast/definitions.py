"""The parts of a CREATE TABLE or CREATE INDEX statement, told apart by the tokens of SQLite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from holdfast.model import folded

_TOKEN = re.compile(
    r"""(?sx)
    (?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>[xX]?'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^]]*\]
        |(?:[A-Za-z_]|[^\x00-\x7f])(?:[\w$]|[^\x00-\x7f])*)
    |(?P<other>\d[\w.]*|.)
    """
)


class _Token(Struct, frozen=True):
    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words


def _tokens(sql: str) -> list[_Token]:
    return [
        _Token(str(match.lastgroup), match[0], match.start(), match.end())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "space"
    ]


def _items(tokens: Sequence[_Token]) -> tuple[list[list[_Token]], list[_Token]]:
    """Return what stands in the first brackets, parted at its commas, and what follows them."""
    items: list[list[_Token]] = [[]]
    depth = 0
    for position, token in enumerate(tokens):
        depth -= token.text == ")"
        if depth == 0 and token.text == ")":
            return items, list(tokens[position + 1 :])
        if depth == 1 and token.text == ",":
            items.append([])
        elif depth:
            items[-1].append(token)
        depth += token.text == "("
    return items, []


def _text(sql: str, tokens: Sequence[_Token]) -> str:
    return sql[tokens[0].start : tokens[-1].end] if tokens else ""


def index_parts(sql: str) -> tuple[tuple[str, ...], str]:
    """Return the terms of a CREATE INDEX, without their order, and its WHERE; "" for none."""
    terms, rest = _items(_tokens(sql))
    for term in terms:
        if term and term[-1].is_word("ASC", "DESC"):
            term.pop()
    return tuple(_text(sql, term) for term in terms), _text(sql, rest[1:])


class ColumnClauses(Struct, frozen=True):
    """What a column's definition says that no PRAGMA tells."""

    collation: str = ""  # SQL: COLLATE and a name
    generated: str = ""  # SQL: AS and an expression; "" for a column that holds values


def column_clauses(sql: str) -> dict[str, ColumnClauses]:
    """Return the clauses of each column of a CREATE TABLE, by its folded name."""
    columns = {}
    for item in _items(_tokens(sql))[0]:
        if item and not item[0].is_word("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"):
            columns[folded(_unquoted(item[0].text))] = _clauses(sql, item[1:])
    return columns


def _clauses(sql: str, tokens: Sequence[_Token]) -> ColumnClauses:
    collation = generated = ""
    depth = 0
    for position, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.is_word("COLLATE"):
            collation = _text(sql, tokens[position : position + 2])
        elif depth == 0 and token.is_word("AS"):
            [*_, last] = _bracketed(tokens[position + 1 :])
            generated = sql[token.start : last.end]
    return ColumnClauses(collation, generated)


def _bracketed(tokens: Sequence[_Token]) -> Iterator[_Token]:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        yield token
        if depth == 0:
            return


def names_in(sql: str) -> set[str]:
    """Return the folded names that stand in an expression: columns, functions, key words."""
    return {folded(_unquoted(token.text)) for token in _tokens(sql) if token.kind == "name"}


def _unquoted(name: str) -> str:
    if name[0] in '"`[':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name


def default_clause(sql: str) -> str:
    """Make a DEFAULT clause of what a PRAGMA gives, which leaves out brackets."""
    return f"DEFAULT {sql}" if len(_tokens(sql)) == 1 or is_constant(sql) else f"DEFAULT ({sql})"


def is_constant(sql: str) -> bool:
    """Tell whether a default is one value, which a column that is added later may have."""
    return _CONSTANT.fullmatch(sql.strip()) is not None


_CONSTANT = re.compile(
    r"(?is)[+-]?\s*\d[\d_]*(\.\d*)?(e[+-]?\d+)?|[+-]?\.\d+(e[+-]?\d+)?|0x[0-9a-f]+|true|false"
    r"|x?'(?:[^']|'')*'"
)
