"""CLIP by open_clip: two towers for the core, the head made of prompts, ensembles of weights, the linear probe."""
