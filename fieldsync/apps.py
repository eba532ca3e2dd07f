from django.apps import AppConfig


class FieldsyncConfig(AppConfig):
    name = "fieldsync"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from assessment.region.restoring import register_restore_hook
        from fieldsync.feed.services import begin_epochs

        register_restore_hook("sync epoch", begin_epochs)
