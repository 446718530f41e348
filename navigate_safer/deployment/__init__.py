"""Files that an installation needs beside the service: broker, Prometheus, Grafana."""
