"""How what the domain holds is written: for stores to keep, for HTTP to answer, for webhooks to send."""
