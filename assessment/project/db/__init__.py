"""Django's PostgreSQL backend, with the private cluster started on the first connection."""
