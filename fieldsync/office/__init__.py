"""The office's side of the field: devices, packages and conflicts, by HTTP and as pages."""
