"""The ASGI side: one layer in front of Connexion's routing, one endpoint behind it, and pages beside the API."""
