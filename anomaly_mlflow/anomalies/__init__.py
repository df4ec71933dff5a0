"""The six anomaly types, and how each is made."""
