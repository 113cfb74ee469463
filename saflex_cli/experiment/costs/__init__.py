"""What training costs: steps, epochs, memory, and where the time goes."""
