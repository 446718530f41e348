"""Ways to send a text; each implements the port in :mod:`alerts.delivery`."""
