"""Holdfast: backups of the SQLite databases that AI assistants keep, proven restorable."""

__version__ = "0.1.0"
