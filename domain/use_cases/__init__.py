"""What callers do with the domain: one module for each thing. HTTP, the command line and the tests call the same."""
