"""What is true on paper: entities, rules, decisions, queries, use cases and ports. No technology is named here."""
