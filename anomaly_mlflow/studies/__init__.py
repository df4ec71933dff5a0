"""Claims: statement, arms, measure, margin, verdict."""
