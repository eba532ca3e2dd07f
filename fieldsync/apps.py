from django.apps import AppConfig


class FieldsyncConfig(AppConfig):
    name = "fieldsync"
    default_auto_field = "django.db.models.BigAutoField"
