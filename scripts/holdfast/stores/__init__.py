"""Places where backups are kept, besides the output folder."""
