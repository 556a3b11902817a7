"""The `samplads` command."""
