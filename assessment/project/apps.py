"""Django's view of libraries that need more than their default configuration."""

from django.apps import AppConfig


class NinjaConfig(AppConfig):
    """django-ninja, for its templates of the API documentation only."""

    name = "ninja"
    default_auto_field = "django.db.models.BigAutoField"
