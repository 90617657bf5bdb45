"""The log as polling, Server-Sent Events and WebSocket."""
