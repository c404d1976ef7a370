"""Grafana dashboards as code; `python -m infra.dashboards` writes the JSON that the chart ships."""
