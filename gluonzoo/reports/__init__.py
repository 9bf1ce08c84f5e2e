"""One page about a run: its numbers, curves, pictures and settings, in a file that a browser opens from the disk."""
