"""The app of the field."""

from __future__ import annotations

from django.apps import AppConfig


class FieldsyncConfig(AppConfig):
    """Tablets, packages, feeds, pushes and photos."""

    name = "fieldsync"
    verbose_name = "Field"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what the field adds to the office's pages, and what a restore has to renew, and what to watch."""
        from assessment.region.restoring import register_restore_hook
        from assessment.region.watching import register_figures, register_watch
        from fieldsync import measures
        from fieldsync.feed.services import begin_epochs
        from fieldsync.office.registration import register

        register()
        register_restore_hook("sync epoch", begin_epochs)
        register_watch("field", measures.count_alarms)
        register_figures("field", measures.collect)
