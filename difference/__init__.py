"""The compatibility of two revisions of a contract."""
