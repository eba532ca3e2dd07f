"""The real files: every card of New Haven and of the Vision export, counted."""

from __future__ import annotations

from assessment.region.actors import Actor

IMPORTER = Actor.system("import_cama")
