"""Which rows a backup takes: not those that the profile excludes, nor those outside a scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from holdfast.database import OperationalError, quote_identifier
from holdfast.errors import ProfileError
from holdfast.excerpts.scope import pick_scope, scope_named
from holdfast.model import Excerpt, LeftOut, Table, folded
from holdfast.profiles import Profile
from holdfast.schema import applies
from holdfast.selection import Graph, Reference, Selection, Source


class ChosenRows(Struct):
    """What is read of each table, by folded name, and how much is not."""

    excerpts: dict[str, Excerpt] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    is_scoped: bool = False  # only the tables of `excerpts` are taken


def choose_rows(
    graph: Graph,
    profile: Profile | None,
    scope: Sequence[str],
    takes: Callable[[str], bool],
    *,
    may_be_gone: bool = False,
) -> ChosenRows:
    """
    Choose among the rows of a database; what is picked lies in the scratch schema of `graph`.

    Of a scope are the rows it names, all rows of taken tables that depend on these, and all
    that these need. A row that belongs to another thing of the scope's kind is outside.

    Args:
        takes: tells which tables are taken.
        may_be_gone: a scope that is not there has no rows.

    Raises: UsageError for a scope that is not there; ProfileError for a condition of a profile
        that SQLite does not understand.
    """
    if not scope and not (profile and profile.exclude_rows):
        return ChosenRows()
    chooser = _Chooser(graph, profile, takes)
    chooser.exclude()
    if scope:
        chooser.narrow(scope, may_be_gone=may_be_gone)
    return chooser.chosen(scoped=bool(scope))


def source(table: Table) -> Source:
    """Describe a table of the database itself, to pick rows from."""
    names = [table.rowid_name] if table.rowid_name else []
    names = names or list(map(quote_identifier, table.primary_key or table.column_names))
    return Source(
        table=table,
        quoted=f"main.{quote_identifier(table.name)}",
        identity=tuple(names),
        columns=frozenset(map(folded, table.column_names)),
    )


def excluded_rows(graph: Graph, profile: Profile) -> Selection:
    """
    Pick what a profile excludes, referred to or not, and the rows that go with it.

    Raises: ProfileError for a condition that SQLite does not understand.
    """
    chooser = _Chooser(graph, profile, lambda _: True)
    chooser.exclude(needed_too=True)
    return chooser.excluded


class _Chooser:
    def __init__(self, graph: Graph, profile: Profile | None, takes: Callable[[str], bool]) -> None:
        self._graph = graph
        self._takes = takes
        self._profile = profile
        rules = profile.exclude_rows if profile else {}
        self._rules = {folded(name): rule.rule for name, rule in rules.items()}
        self.excluded = Selection(graph)
        self._outside = Selection(graph)
        self._links = Selection(graph)
        self._inside = Selection(graph)
        self._counts: dict[str, Mapping[str, int]] = {}

    def exclude(self, *, needed_too: bool = False) -> None:
        """Find what the profile excludes, and the rows that go with it."""
        for name, rule in self._profile.exclude_rows.items() if self._profile else ():
            if folded(name) not in self._graph.sources:
                continue
            conditions = [f"({rule.where})"]
            if rule.rule == "include" and not needed_too:
                conditions += self._unreferred(name)
            try:
                self.excluded.add(name, " AND ".join(conditions))
            except OperationalError as error:
                title = self._profile.name if self._profile else ""
                raise ProfileError(
                    f"{title}.yaml: exclude_rows.{name}.where: {error}",
                    hint="Write a condition on the table's own columns, as after WHERE.",
                ) from error
        self.excluded.add_dependents(lambda reference: self._rule(reference) == "exclude")
        self._counts["rows"] = self.excluded.counts()

    def _unreferred(self, name: str) -> Iterator[str]:
        """Write that nothing refers to a row."""
        for child, key in self._graph.references:
            if folded(key.parent) == folded(name):
                same = " AND ".join(
                    f"c.{quote_identifier(here)} = t.{quote_identifier(there)}"
                    for here, there in zip(key.columns, key.parent_columns, strict=True)
                )
                child_rows = self._graph.sources[folded(child)].quoted
                same += f" AND {applies(key, 'c')}"
                yield f"NOT EXISTS (SELECT 1 FROM {child_rows} AS c WHERE {same})"

    def narrow(self, scope: Sequence[str], *, may_be_gone: bool) -> None:
        """Find what belongs to a scope and what it needs, and set the links outside apart."""
        name, of = scope_named(self._profile, scope)
        inside, outside, links = self._inside, self._outside, self._links
        pick_scope(inside, name, of, scope, may_be_gone=may_be_gone)
        outside.add(of.table, f"NOT ({inside.holds(of.table, 't.')})")
        inside.add_dependents(lambda reference: self._takes(reference[0]))
        outside.add_dependents()
        outside.remove(inside)
        for number, (child, key) in enumerate(self._graph.references):
            if not self._cuttable((child, key)):
                links.add_referring(number, outside, among=inside)
        links.add_dependents(lambda reference: not self._cuttable(reference))
        self._counts["links"] = links.counts(inside)
        self._counts["rows"] = self.excluded.counts(inside)
        for others in (links, self.excluded):
            inside.remove(others)
        inside.add_needed(avoiding=(self.excluded, outside, links))

    def chosen(self, *, scoped: bool) -> ChosenRows:
        """Say what is read of each table."""
        found = ChosenRows(is_scoped=scoped)
        cuts, counts = self._cuts(scoped=scoped)
        for name in self._graph.sources:
            values = cuts.get(name, {})
            if scoped and self._inside.count(name):
                found.excerpts[name] = Excerpt(self._inside.holds(name), values)
            elif not scoped and (values or self.excluded.count(name)):
                found.excerpts[name] = Excerpt(f"NOT ({self.excluded.holds(name)})", values)
        rows, links = (
            {name: count for name, count in self._counts.get(kind, {}).items() if self._takes(name)}
            for kind in ("rows", "links")
        )
        found.left_out = LeftOut(rows=rows, links=links, references=counts)
        return found

    def _cuts(self, *, scoped: bool) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
        """Write NULL where a reference to a row that is left out may be NULL; count these."""
        values: dict[str, dict[str, str]] = {}
        counts: dict[str, int] = {}
        for number, (child, key) in enumerate(self._graph.references):
            columns = self._cuttable((child, key))
            if not columns or not (scoped or self._takes(child)):
                continue
            cut = Selection(self._graph)
            if self._rule((child, key)) == "null":
                cut.add_referring(number, self.excluded)
            for gone in (self._outside, self._links):
                cut.add_referring(number, gone)
            cut.remove(self.excluded)
            count = cut.count(child, self._inside if scoped else None)
            cut_here = cut.holds(child)
            for column in columns if count else ():
                of_table = values.setdefault(folded(child), {})
                there = of_table.get(column, quote_identifier(column))
                of_table[column] = f"iif({cut_here}, NULL, {there})"
                counts[f"{child}.{column}"] = counts.get(f"{child}.{column}", 0) + count
        return values, counts

    def _rule(self, reference: Reference) -> str:
        """Say what becomes of a row whose parent is excluded: exclude, null, keep or include."""
        rule = self._rules.get(folded(reference[1].parent), "null")
        return "exclude" if rule == "null" and not self._cuttable(reference) else rule

    def _cuttable(self, reference: Reference) -> list[str]:
        """Name the columns of a reference that may be NULL, so that it refers to nothing."""
        name, key = reference
        table = self._graph.sources[folded(name)].table
        fixed = {column.name for column in table.columns if column.not_null}
        fixed |= set(table.primary_key)
        free = [column for column in key.columns if column not in fixed]
        others = {
            column
            for other in table.foreign_keys
            if other.columns != key.columns
            for column in other.columns
        }
        # A column that another reference needs as well is given up last.
        return [column for column in free if column not in others] or free
