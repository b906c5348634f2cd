"""The schedulers of systems, and the calendar of a job."""
