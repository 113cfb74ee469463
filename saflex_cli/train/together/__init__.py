"""All seeds of one cell (a recipe and a method) in one program: stacked networks, each with its own random streams."""
