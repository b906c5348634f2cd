"""Groups of tables, as a command names them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from holdfast.errors import UsageError
from holdfast.profiles.profile import Profile


class ChosenGroups(Struct, frozen=True):
    """The groups that were asked for and that there are."""

    names: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def choose_groups(profile: Profile | None, wanted: Sequence[str]) -> ChosenGroups:
    """
    Find groups by their names; a name that no group has is passed over with a warning.

    Raises: UsageError when none is left.
    """
    groups = profile.groups if profile else {}
    names = tuple(dict.fromkeys(name for name in wanted if name in groups))
    unknown = tuple(name for name in wanted if name not in groups)
    there = f"The groups are {', '.join(groups)}." if groups else "Its tables have no groups."
    if unknown and not names:
        raise UsageError(f"there is no group {', '.join(unknown)}: nothing was done", hint=there)
    return ChosenGroups(
        names=names,
        tables=tuple(table for name in names for table in groups[name].tables),
        warnings=tuple(f"there is no group {name}; it was left out. {there}" for name in unknown),
    )
