"""The only code that reads the environment, chooses adapters and starts things."""
