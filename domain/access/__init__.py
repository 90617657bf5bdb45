"""Access: keys, grants and rate limits."""
