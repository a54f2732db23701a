"""A model of the resource: what is asked of a server, what it must answer, and conversations that show it."""
