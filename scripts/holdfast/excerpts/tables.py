"""Which tables a backup takes, and why it leaves out the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from holdfast.errors import UsageError
from holdfast.model import Schema, folded
from holdfast.profiles import ChosenGroups, Profile, choose_groups

ALL = "all"  # the word for every group, those too that must be named
DEFAULT = "default"  # the word for what is taken when nothing is named
NOT_ASKED = "not asked for"


class ChosenTables(Struct, frozen=True):
    """The tables that are left out, each with its reason."""

    groups: ChosenGroups
    on_request: dict[str, str]  # because others were named, or these were not
    by_rule: dict[str, str]  # because the profile says so

    def takes(self, table: str) -> bool:
        """Tell whether a table is taken."""
        return table not in self.on_request and table not in self.by_rule


def choose_tables(
    schema: Schema, profile: Profile | None, groups: Sequence[str], tables: Sequence[str]
) -> ChosenTables:
    """
    Choose among the tables of a database; `groups` and `tables` add up, and none means all.

    Raises: UsageError for a table that is not there, and when no group is known.
    """
    chosen = choose_groups(profile, [name for name in groups if name not in (ALL, DEFAULT)])
    named = set(map(folded, tables))
    there = {folded(table.name): table.name for table in schema.tables}
    for name in tables:
        if folded(name) not in there:
            raise UsageError(
                f"the database has no table {name}", hint=near(name, sorted(there.values()))
            )
    asked = named | set(map(folded, chosen.tables))
    usual = DEFAULT in groups or not asked
    skipped = {folded(name): why for name, why in profile.skip_on_export.items()} if profile else {}
    on_request, by_rule = {}, {}
    for table in there.values():
        if folded(table) in named:
            continue
        if folded(table) in skipped:
            by_rule[table] = skipped[folded(table)]
        elif folded(table) in asked or ALL in groups:
            continue
        elif not usual:
            on_request[table] = NOT_ASKED
        elif group := _unnamed_group(profile, table):
            on_request[table] = f"taken only when its group is named: {group}"
    return ChosenTables(chosen, on_request, by_rule)


def _unnamed_group(profile: Profile | None, table: str) -> str:
    """Name the group of a table that is in none but those that must be named; "" for another."""
    groups = list(_groups_of(profile, table))
    return groups[0][0] if groups and not any(default for _, default in groups) else ""


def _groups_of(profile: Profile | None, table: str) -> Iterator[tuple[str, bool]]:
    for name, group in profile.groups.items() if profile else ():
        if folded(table) in map(folded, group.tables):
            yield name, group.default


def near(wanted: str, known: Sequence[str]) -> str:
    """Name what is written much like a word, for a hint."""
    import difflib  # which most commands do without

    found = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5) or list(known[:5])
    if not found:
        return "There is none at all."
    return f"Did you mean {' or '.join(found)}?" if len(known) > 1 else f"There is {found[0]}."
