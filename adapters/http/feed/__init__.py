"""Following the log: by polling, Server-Sent Events or WebSocket."""
