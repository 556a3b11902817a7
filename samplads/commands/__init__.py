"""The `samplads` command, one module per area. Each offers `register(subparsers)` and imports what is heavy only when it runs."""
