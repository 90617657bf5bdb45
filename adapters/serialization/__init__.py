"""How what the domain holds is written as JSON: for stores to keep, for HTTP to answer, for webhooks to send."""
