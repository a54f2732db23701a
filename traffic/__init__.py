"""Recorded HTTP: readers, a HAR writer, curl commands and redaction."""
