"""Memory that the processes of one service on one host share while they run."""
