"""Cost tables as files and on pages: exported, imported, edited, with the effect shown before they are accepted."""
