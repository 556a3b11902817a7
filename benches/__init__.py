"""Speed and memory, measured side by side in one run: `make bench`. Never a test: figures depend on the machine."""
