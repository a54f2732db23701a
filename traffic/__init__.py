"""Recorded HTTP: read, written, shown as commands, and without its secrets."""
