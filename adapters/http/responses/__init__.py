"""Making responses: entities and problems in their wire format."""
