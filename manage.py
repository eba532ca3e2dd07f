#!/usr/bin/env python
"""Run a Grandlist command: `python manage.py help` lists them."""

import os
import sys

INTERRUPTED = 130


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before it was done; run the command again to do it whole.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
