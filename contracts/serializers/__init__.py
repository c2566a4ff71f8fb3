"""Shapes of requests and replies. What a request means is checked by the services."""
