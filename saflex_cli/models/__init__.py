"""Models, built from a recipe."""
