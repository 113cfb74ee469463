"""Pictures as PNG bytes, from plain arrays; needs the extra `figures`, apart from `samples`."""
