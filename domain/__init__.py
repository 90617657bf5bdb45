"""The business: entities, rules, decisions, queries, use cases and ports. It names no technology."""
