from importlib import import_module

from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    name = "assessment"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Wiring by dotted string: tasks sent from here go to the configured broker.
        import_module("assessment.project.celery")
        from assessment.office import own

        own.register()
