"""What callers do with the domain: one module for each thing."""
