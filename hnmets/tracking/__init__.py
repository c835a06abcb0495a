"""What is remembered of every run, and where: MLflow behind a spool that no outage empties."""
