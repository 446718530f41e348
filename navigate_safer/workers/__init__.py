"""Long-running processes: each is a loop that calls a service."""
