"""Access checks: the credential of a request, what it grants, and for how long."""
