"""The database's versions, applied by the service at start."""
