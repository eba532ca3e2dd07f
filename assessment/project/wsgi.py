"""The application that gunicorn serves (WSGI with threads: docs/adr)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
application = get_wsgi_application()
