"""What the words of an export mean: groups, and then perhaps the name of what one of them holds."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.excerpts.tables import ALL, DEFAULT
from holdfast.excerpts.taking import Wanted
from holdfast.model import folded
from holdfast.profiles import Profile


def wanted_of(
    profile: Profile | None,
    words: Sequence[str],
    groups: Sequence[str] = (),
    tables: Sequence[str] = (),
    scope: Sequence[str] = (),
) -> Wanted:
    """
    Read `boards Planning` as the group boards, narrowed to the one that is called Planning.

    That is what the last word means, unless it is a group, where the profile has just one scope
    for the groups before it. Any other word is a group, known or not.
    """
    known = {*(profile.groups if profile else ()), ALL, DEFAULT}
    named = list(words)
    if len(named) > 1 and named[-1] not in known and not scope:
        scopes = _scopes_of(profile, named[:-1])
        if len(scopes) == 1:
            scope = (f"{scopes[0]}={named.pop()}",)
    return Wanted(groups=(*named, *groups), tables=tuple(tables), scope=tuple(scope))


def _scopes_of(profile: Profile | None, groups: Sequence[str]) -> list[str]:
    if profile is None:
        return []
    tables = {
        folded(table)
        for name in groups
        if name in profile.groups
        for table in profile.groups[name].tables
    }
    return [name for name, scope in profile.scopes.items() if folded(scope.table) in tables]
