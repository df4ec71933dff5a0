"""What to do about anomalies: trust in every given label, the label it should be, repair, robust learners."""
