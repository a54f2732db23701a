"""The ASGI side: one layer in front of Connexion's routing, and one endpoint behind it."""
