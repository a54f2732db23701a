"""Callers: the role and the own documents of a bearer token, and a store narrowed to these documents."""
