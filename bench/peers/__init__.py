"""The crawlers that are compared: one module each, run by its own interpreter, same spider in each."""
