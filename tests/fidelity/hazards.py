"""The catalogue of hazards: every one must come back equal from every format."""

from __future__ import annotations

from tests.fidelity.of_files import FILES
from tests.fidelity.of_keys import KEYS
from tests.fidelity.of_names import NAMES
from tests.fidelity.of_schemas import SCHEMAS
from tests.fidelity.of_values import VALUES
from tests.fidelity.of_virtual_tables import VIRTUAL_TABLES

GROUPS = {
    "Values": VALUES,
    "Tables and keys": KEYS,
    "Names": NAMES,
    "References, indexes, views and triggers": SCHEMAS,
    "Virtual tables": VIRTUAL_TABLES,
    "The file": FILES,
}
HAZARDS = tuple(hazard for group in GROUPS.values() for hazard in group)
