"""What a backup takes of a database: which tables, which of their rows, and what of these."""

from holdfast.excerpts.rows import excluded_rows, source
from holdfast.excerpts.secrets import markable, redacted, secrets_of
from holdfast.excerpts.tables import ALL, DEFAULT
from holdfast.excerpts.taking import SCRATCH, Taken, Wanted, take
from holdfast.excerpts.words import wanted_of

__all__ = [
    "ALL",
    "DEFAULT",
    "SCRATCH",
    "Taken",
    "Wanted",
    "excluded_rows",
    "markable",
    "redacted",
    "secrets_of",
    "source",
    "take",
    "wanted_of",
]
