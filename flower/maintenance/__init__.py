"""What is done to a store from the command line while no server runs: check, export, import."""
