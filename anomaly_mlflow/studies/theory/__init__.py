"""Theory beside measurement: what derivations predict, and what was measured (docs/theory.md)."""
