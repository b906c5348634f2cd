"""Profiles of the tools whose databases we back up, and the settings: all that is YAML."""

from holdfast.profiles.folder import load_profiles, profile_folder, recognise
from holdfast.profiles.groups import ChosenGroups, choose_groups
from holdfast.profiles.locations import location_paths
from holdfast.profiles.profile import (
    Activity,
    Group,
    ImportFacts,
    Location,
    Meta,
    Profile,
    activity_row,
)
from holdfast.profiles.settings import SETTINGS_FILE, DatabaseSettings, Settings, load_settings

__all__ = [
    "SETTINGS_FILE",
    "Activity",
    "ChosenGroups",
    "DatabaseSettings",
    "Group",
    "ImportFacts",
    "Location",
    "Meta",
    "Profile",
    "Settings",
    "activity_row",
    "choose_groups",
    "load_profiles",
    "load_settings",
    "location_paths",
    "profile_folder",
    "recognise",
]
