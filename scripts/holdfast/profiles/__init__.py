"""Profiles of the tools whose databases we back up, and the settings: all that is YAML."""

from holdfast.profiles.adding import with_databases
from holdfast.profiles.cached import load_profiles_quickly
from holdfast.profiles.folder import load_profiles, profile_folder, recognise
from holdfast.profiles.groups import ChosenGroups, choose_groups
from holdfast.profiles.locations import databases_at, expand, location_paths
from holdfast.profiles.profile import (
    Activity,
    ExcludedRows,
    Group,
    ImportFacts,
    Location,
    Meta,
    Profile,
    Reference,
    Scope,
    activity_row,
)
from holdfast.profiles.references import with_references
from holdfast.profiles.settings import (
    SETTINGS_FILE,
    SPAN,
    DatabaseSettings,
    KeepRules,
    ScheduleSettings,
    Settings,
    StoreSettings,
    load_settings,
)
from holdfast.profiles.shape import Complaint

__all__ = [
    "SETTINGS_FILE",
    "SPAN",
    "Activity",
    "ChosenGroups",
    "Complaint",
    "DatabaseSettings",
    "ExcludedRows",
    "Group",
    "ImportFacts",
    "KeepRules",
    "Location",
    "Meta",
    "Profile",
    "Reference",
    "ScheduleSettings",
    "Scope",
    "Settings",
    "StoreSettings",
    "activity_row",
    "choose_groups",
    "databases_at",
    "expand",
    "load_profiles",
    "load_profiles_quickly",
    "load_settings",
    "location_paths",
    "profile_folder",
    "recognise",
    "with_databases",
    "with_references",
]
