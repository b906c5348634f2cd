"""One project, board, agent or schedule: the rows that a scope names, by name or by id."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.database import quote_identifier
from holdfast.errors import UsageError
from holdfast.excerpts.tables import near
from holdfast.model import folded
from holdfast.profiles import Profile, Scope
from holdfast.selection import Selection

_ID = "-id"  # ends the name of a scope's option that takes an id


def scope_named(profile: Profile | None, words: Sequence[str]) -> tuple[str, Scope]:
    """
    Find the scope that words such as project=Planning and project-id=7 mean.

    Raises: UsageError for one that the profile does not have, and for two at once.
    """
    scopes = profile.scopes if profile else {}
    names = {word.partition("=")[0].removesuffix(_ID) for word in words}
    if len(names) > 1:
        raise UsageError(
            f"{' and '.join(sorted(names))} cannot be combined", hint="Name things of one kind."
        )
    (name,) = names
    if name not in scopes:
        raise UsageError(
            f"there is no {name} that this database could be narrowed to",
            hint=f"There is {', '.join(scopes)}."
            if scopes
            else "Its profile names no scopes; see docs/profiles.md.",
        )
    return name, scopes[name]


def pick_scope(
    selection: Selection, name: str, scope: Scope, words: Sequence[str], *, may_be_gone: bool
) -> None:
    """
    Pick the rows that words mean; with `may_be_gone`, as many as there are.

    Raises: UsageError for what is not there, naming what is near, and for a name of several rows.
    """
    if folded(scope.table) not in selection.graph.sources:
        raise UsageError(
            f"the database has no table {scope.table}, where a {name} would be",
            hint="Leave the scope out.",
        )
    for word in words:
        option, _, value = word.partition("=")
        by_id = option.endswith(_ID)
        column = scope.id if by_id else scope.name
        if column is None:
            raise UsageError(f"a {name} has no id here", hint=f"Use --{name} NAME.")
        quoted = f"t.{quote_identifier(column)}"
        condition = f"({quoted} = ? OR CAST({quoted} AS TEXT) = ?)"
        before = selection.count(scope.table)
        if not selection.add(scope.table, condition, [value, value]) and not may_be_gone:
            known = _values(selection, scope, column)
            raise UsageError(f"there is no {name} {value}", hint=near(value, known))
        if may_be_gone:
            continue
        if not by_id and selection.count(scope.table) - before > 1:
            ids = _values(selection, scope, scope.id or column, condition, [value, value])
            raise UsageError(
                f"several are called {value}: a {name} must be told apart",
                hint=f"Use --{name}{_ID}, with one of {', '.join(ids)}.",
            )


def _values(
    selection: Selection,
    scope: Scope,
    column: str,
    condition: str = "TRUE",
    values: Sequence[str] = (),
) -> list[str]:
    source = selection.graph.sources[folded(scope.table)]
    rows = selection.graph.connection.execute(
        f"SELECT DISTINCT CAST(t.{quote_identifier(column)} AS TEXT) AS v FROM {source.quoted} AS t"
        f" WHERE {condition} AND v IS NOT NULL ORDER BY v LIMIT {_MOST_NAMES}",
        values,
    )
    return [str(value) for (value,) in rows]


_MOST_NAMES = 10_000  # among which a near one is looked for
