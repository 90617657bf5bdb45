"""What the processes of one service on one host know together, and nobody after them."""
