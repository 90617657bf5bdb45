"""Making responses: entities and problems as they look on the wire."""
