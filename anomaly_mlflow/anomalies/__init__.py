"""The anomaly types, and how each is made."""
