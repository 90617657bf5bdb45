"""A store in memory: for tests and demos, with the same contract as every other store."""
