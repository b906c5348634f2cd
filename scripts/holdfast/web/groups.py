"""Which groups of tables are meant by the names and flags of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdfast.errors import UsageError
from holdfast.excerpts import DEFAULT
from holdfast.operations.context import Context
from holdfast.web.names import profile_at

# What Open Agentic asks for by a flag, as profiles call it.
_CALLED = {
    "memory": ("memory", "memories"),
    "config": ("config", "configuration", "settings"),
    "tools": ("tools",),
    "scheduled_tasks": ("scheduled_tasks", "schedules"),
}


def groups_to_export(
    context: Context,
    database: str | None,
    named: Sequence[str],
    wishes: Mapping[str, bool | None],
) -> tuple[str, ...]:
    """
    Name the groups that an export takes: those named or the usual ones, with or without some.

    Args:
        wishes: by flag, whether its group is to come along; None: as usual.

    Returns: nothing where all is as usual. Raises: UsageError when no group is left.
    """
    if all(wish is None for wish in wishes.values()):
        return tuple(named)
    _, _, profile = profile_at(context, database)
    there = profile.groups if profile else {}
    usual = [name for name, group in there.items() if group.default]
    wanted = list(named or usual)
    for flag, wish in wishes.items():
        of_flag = [name for name in _CALLED[flag] if name in there]
        if wish is False:
            wanted = [name for name in wanted if name not in of_flag]
        elif wish:
            wanted += of_flag
    if there and not wanted:
        raise UsageError("no group is left to be exported", hint="Ask for one with groups.")
    # Tables that are in no group come along where nothing is left out.
    is_whole = not named and set(usual) <= set(wanted)
    return ((DEFAULT,) if is_whole else ()) + tuple(dict.fromkeys(wanted))


def groups_to_import(
    context: Context, database: str | None, named: Sequence[str], without: Sequence[str]
) -> tuple[str, ...]:
    """
    Name the groups that an import takes: those named or all, without some.

    Raises: UsageError when no group is left.
    """
    if not without:
        return tuple(named)
    _, _, profile = profile_at(context, database)
    wanted = named or list(profile.groups if profile else ())
    left = tuple(name for name in wanted if name not in without)
    if wanted and not left:
        raise UsageError("no group is left to be imported", hint="Leave out fewer.")
    return left
