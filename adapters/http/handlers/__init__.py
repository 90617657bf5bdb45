"""What the operations do: parse, call the domain, render."""
