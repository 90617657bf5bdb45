"""The limits that uvicorn lacks."""
