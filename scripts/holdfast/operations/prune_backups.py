"""Remove the backups that no rule keeps: plan, confirm, remove one by one, record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from holdfast import files
from holdfast.errors import HoldfastError, PlanChanged, UsageError
from holdfast.operations.context import Context, choose_database
from holdfast.operations.keeping import choose_stores
from holdfast.operations.plan_ids import plan_id_of
from holdfast.operations.prune_places import Listed, OutputFolder, Place, StorePlace
from holdfast.outcomes import ExportAllReport, ExportReport
from holdfast.profiles import KeepRules
from holdfast.pruned import PrunedBackup, PrunedPlace, PruneReport
from holdfast.retention import Decision, Fate, has_rules, plan_retention


class PruneOptions(Struct, frozen=True, kw_only=True):
    """What may be asked of a prune."""

    database: str | None = None  # backups of this one alone
    sample: bool = False
    here: bool = False  # in the output folder
    stores: tuple[str, ...] = ()  # and in these; neither: in the output folder and all stores
    keep: KeepRules | None = None  # instead of all rules in backup.yaml
    dry_run: bool = False
    yes: bool = False
    confirm: str | None = None  # the id of the plan that the person has agreed to

    @property
    def is_agreed(self) -> bool:
        return not self.dry_run and (self.yes or self.confirm is not None)


class _Plan(Struct, frozen=True):
    """What is to become of the backups in one place."""

    place: Place
    listed: tuple[Listed, ...]
    decisions: tuple[Decision, ...]  # one for each that is listed
    ruled: tuple[bool, ...]  # for each database: whether any rule keeps something of it

    def removed(self) -> dict[tuple[str, str, str], list[str]]:
        """Return what is to go, by database, kind, and the verified one that stays instead."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for each in self.decisions:
            if each.fate is Fate.REMOVED:
                key = (each.backup.database, each.backup.kind, each.stays)
                groups.setdefault(key, []).append(each.backup.name)
        return groups


def prune_backups(context: Context, options: PruneOptions) -> PruneReport:
    """
    Plan which backups go by the rules that say what is kept, and remove them once agreed to.

    What cannot be removed is in the report, and the others go all the same. A place that cannot
    be looked into is a warning, unless it is the only one.

    Raises: PlanChanged when the plan is no longer the one that was confirmed; UsageError for a
        store that is not set, or that keeps all; DatabaseError when the history cannot be read;
        StoreFailed.
    """
    places = _places(context, options)
    plans: list[_Plan] = []
    warnings: list[str] = []
    for place in places:
        try:
            plans.append(_plan(context, options, place))
        except HoldfastError as error:
            if len(places) == 1:
                raise
            warnings.append(f"nothing is removed from {place.location}: {error}. {error.hint}")
    report = _report(options, plans, {}, tuple(warnings))
    if report.outcome == "nothing to do" and options.yes:
        warnings += [text for plan in plans for text in plan.place.free()]
        return replace(report, warnings=tuple(warnings))
    if report.outcome != "planned" or not options.is_agreed:
        return report
    if not options.yes and options.confirm != report.plan_id:
        raise PlanChanged(
            f"what would be removed is no longer the plan {options.confirm}",
            hint="The new plan is shown: confirm that, if it is what you want.",
            report=report,
        )
    return _carry_out(context, options, plans, report)


def prune_after(context: Context, report: ExportReport) -> ExportReport:
    """Prune the backups of a database where a new one has just come to, and report that too."""
    options = PruneOptions(
        database=str(report.database.path),
        here=True,
        stores=tuple(
            each.store
            for each in report.copies
            if not each.problem and each.store in prunable(context)
        ),
        yes=True,
    )
    try:
        pruned = prune_backups(context, options)
    except HoldfastError as error:  # the backup is there all the same
        warning = f"the backup was made, but nothing was removed: {error}. {error.hint}"
        return replace(report, warnings=(*report.warnings, warning))
    return replace(report, pruned=pruned, warnings=(*report.warnings, *pruned.warnings))


def prune_after_all(context: Context, report: ExportAllReport) -> ExportAllReport:
    """Prune the backups of each database that a new one was made of, and report that too."""
    return ExportAllReport(
        tuple(
            replace(each, report=prune_after(context, each.report)) if each.report else each
            for each in report.databases
        )
    )


def prunable(context: Context) -> tuple[str, ...]:
    """Name the stores of which anything can be removed: not git repositories, which keep all."""
    return tuple(name for name, each in context.settings.stores.items() if not each.is_git)


def _places(context: Context, options: PruneOptions) -> list[Place]:
    is_everywhere = not (options.here or options.stores)
    can = prunable(context)
    for name in options.stores:
        if name in context.settings.stores and name not in can:
            raise UsageError(
                f"nothing is removed from {name}: a git repository keeps what was committed",
                hint="To keep less, begin a new repository.",
            )
    chosen = choose_stores(context, can if is_everywhere else options.stores)
    stores = [StorePlace(context, each) for each in chosen if each.name in can]  # all are meant
    return [*([OutputFolder(context)] if options.here or is_everywhere else []), *stores]


def _plan(context: Context, options: PruneOptions, place: Place) -> _Plan:
    listed = place.backups()
    if options.database is not None or options.sample:
        chosen = choose_database(context, options.database, sample=options.sample)
        key = place.database_key(chosen.path)
        listed = [each for each in listed if each.candidate.database == key]
    databases = {each.candidate.database for each in listed} - {""}
    rules = {name: options.keep or place.rules(name) for name in databases}
    decisions = plan_retention(
        [each.candidate for each in listed], rules, now=context.now, owner=place.owner
    )
    ruled = tuple(map(has_rules, rules.values()))
    return _Plan(place, tuple(listed), tuple(decisions), ruled)


def _report(
    options: PruneOptions,
    plans: Sequence[_Plan],
    failed: Mapping[tuple[str, str], HoldfastError],
    warnings: tuple[str, ...],
) -> PruneReport:
    places = tuple(_pruned_place(plan, failed) for plan in plans)
    plan_id = _plan_id(plans)
    ruled = [each for plan in plans for each in plan.ruled]
    if ruled and not any(ruled):
        outcome = "no rules"
    elif not any(plan.removed() for plan in plans):
        outcome = "nothing to do"
    else:
        outcome = "rehearsed" if options.dry_run else "planned"
    return PruneReport(places, plan_id, outcome, _arguments(options, plan_id), warnings)


def _pruned_place(plan: _Plan, failed: Mapping[tuple[str, str], HoldfastError]) -> PrunedPlace:
    backups = [
        PrunedBackup(
            name=decision.backup.name,
            database=decision.backup.database,
            kind=decision.backup.kind,
            created_at=listed.created_at,
            bytes=listed.bytes,
            fate=decision.fate if error is None else "failed",
            reasons=decision.reasons if error is None else (str(error),),
        )
        for listed, decision in zip(plan.listed, plan.decisions, strict=True)
        for error in [failed.get((plan.place.store, decision.backup.name))]
    ]
    backups.sort(key=lambda each: (each.database, each.kind))  # stable: the newest stay first
    return PrunedPlace(plan.place.store, plan.place.location, tuple(backups))


def _plan_id(plans: Sequence[_Plan]) -> str:
    """Hash what would go: a plan holds as long as just that would."""
    basis = [
        [plan.place.store, plan.place.location, listed.candidate.name, listed.created_at]
        for plan in plans
        for listed, decision in zip(plan.listed, plan.decisions, strict=True)
        if decision.fate is Fate.REMOVED
    ]
    return plan_id_of(sorted(basis, key=str))


def _arguments(options: PruneOptions, plan_id: str) -> tuple[str, ...]:
    """Name the arguments that carry out just this plan."""
    words = ["--db", options.database] if options.database is not None else []
    words += ["--sample"] * options.sample + ["--here"] * options.here
    words += [word for name in options.stores for word in ("--store", name)]
    for rule, value in asdict(options.keep).items() if options.keep else ():
        if value is not None:
            words += [f"--keep-{rule}", str(value)]
    return (*words, "--confirm", plan_id)


def _carry_out(
    context: Context, options: PruneOptions, plans: Sequence[_Plan], report: PruneReport
) -> PruneReport:
    """Remove what the plans name, and say what could not be removed."""
    failed: dict[tuple[str, str], HoldfastError] = {}
    warnings = list(report.warnings)
    for plan in plans:
        for (database, kind, stays), names in plan.removed().items():
            errors = plan.place.remove(names, stays)
            failed |= {(plan.place.store, name): error for name, error in errors.items()}
            warnings += [f"{error}. {error.hint}" for error in dict.fromkeys(errors.values())]
            warnings += _remember(context, plan.place, database, kind, names, errors, report)
        warnings += plan.place.free()
    done = _report(options, plans, failed, tuple(warnings))
    return replace(done, outcome="done")


def _remember(
    context: Context,
    place: Place,
    database: str,
    kind: str,
    names: Sequence[str],
    errors: Mapping[str, HoldfastError],
    report: PruneReport,
) -> Iterator[str]:
    """Record what was removed of one database; yield a warning when that fails."""
    named = context.settings.databases.get(database) if place.store else None
    try:
        context.history.record_event(
            at=context.timestamp,
            operation="prune",
            outcome="done" if not errors else type(next(iter(errors.values()))).__name__,
            database_path=files.resolved(named.path) if named else Path(database),
            backup=Path(place.location),
            details={
                "by": context.actor,
                "store": place.store,
                "kind": kind,
                "removed": [name for name in names if name not in errors],
                "failed": {name: str(error) for name, error in errors.items()},
                "plan_id": report.plan_id,
            },
        )
    except HoldfastError as error:
        yield f"backups were removed, but that could not be recorded: {error}"
