"""Terms of the training objective, one idea per file."""
