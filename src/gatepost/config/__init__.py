"""Settings, addresses and the processes. The only place that reads the environment."""
