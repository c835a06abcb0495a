"""One module per verb: where the stages meet."""
