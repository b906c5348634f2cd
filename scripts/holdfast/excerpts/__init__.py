"""What a backup takes of a database: which tables, which of their rows, and what of these."""

from holdfast.excerpts.rows import excluded_rows, source
from holdfast.excerpts.tables import ALL, DEFAULT
from holdfast.excerpts.taking import SCRATCH, Taken, Wanted, secrets_of, take
from holdfast.excerpts.words import wanted_of

__all__ = [
    "ALL",
    "DEFAULT",
    "SCRATCH",
    "Taken",
    "Wanted",
    "excluded_rows",
    "secrets_of",
    "source",
    "take",
    "wanted_of",
]
