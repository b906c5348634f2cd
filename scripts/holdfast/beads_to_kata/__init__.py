"""
Issues of Beads as rows of a kata database, in the project that they come into.

An issue keeps its uid, and so its rows, as long as kata's `import_mappings` knows it; that of a
new one is made of its id in Beads, the same each time. What kata has no column for stands at
the end of the issue's body.
Source: https://github.com/kenn-io/kata, docs/guide/migrating-from-beads.md
"""

from holdfast.beads_to_kata.mapping import Mapped, map_issues
from holdfast.beads_to_kata.project import KataProject, read_project
from holdfast.beads_to_kata.words import SOURCE

__all__ = ["SOURCE", "KataProject", "Mapped", "map_issues", "read_project"]
