"""Tables: read, encoded by what train holds, split."""
