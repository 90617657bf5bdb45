"""An HTTP/1.1 and WebSocket server: uvicorn's protocols, with the limits that they lack."""
