"""Who may do what: keys, what they grant, and how often."""
