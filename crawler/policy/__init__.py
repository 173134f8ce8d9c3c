"""What shall become of a request? Pure decisions: facts in, a verdict out; time and chance are arguments."""
