"""The use cases, one module each. HTTP, the command line and the tests call the same functions."""
