"""Settings, errors, logging, metrics and the process's life: what every layer may use."""
