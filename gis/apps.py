from django.apps import AppConfig


class GisConfig(AppConfig):
    name = "gis"
    default_auto_field = "django.db.models.BigAutoField"
