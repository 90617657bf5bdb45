"""One folder for each technology. Siblings never import each other."""
