"""OpenTelemetry: imported only where `TIDEGATE_OTLP_ENDPOINT` is set."""
