"""The service that is deployed, scaled and judged: a small shop with a costly fraud check."""
