"""Random input for what reads input: a little of it in the tests, for as long as one likes by `make fuzz`."""
