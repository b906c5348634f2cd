"""Profiles of the tools whose databases we back up, and the settings: all that is YAML."""

from holdfast.profiles.folder import load_profiles, profile_folder, recognise
from holdfast.profiles.groups import ChosenGroups, choose_groups
from holdfast.profiles.locations import location_paths
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
    DatabaseSettings,
    Settings,
    StoreSettings,
    load_settings,
)

__all__ = [
    "SETTINGS_FILE",
    "Activity",
    "ChosenGroups",
    "DatabaseSettings",
    "ExcludedRows",
    "Group",
    "ImportFacts",
    "Location",
    "Meta",
    "Profile",
    "Reference",
    "Scope",
    "Settings",
    "StoreSettings",
    "activity_row",
    "choose_groups",
    "load_profiles",
    "load_settings",
    "location_paths",
    "profile_folder",
    "recognise",
    "with_references",
]
