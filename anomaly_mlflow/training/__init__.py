"""A model and its history."""
