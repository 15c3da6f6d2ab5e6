"""Grafana as code: dashboards made from the names that the report store uses."""
