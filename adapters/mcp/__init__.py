"""The service as a Model Context Protocol server: assistants use it through tools. It is a client of the HTTP API."""
