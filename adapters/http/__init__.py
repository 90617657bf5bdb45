"""The HTTP adapter: parse a request, call a use case, render the response."""
