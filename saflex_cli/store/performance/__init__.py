"""What training costs, as it was measured: records under `results/bench/`, and the page made from them."""
