"""`make run`: everything from an empty folder to an office that answers, and its orderly end."""
