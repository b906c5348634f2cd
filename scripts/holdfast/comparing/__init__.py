"""What has changed from one side to another; each is a backup or a database."""
