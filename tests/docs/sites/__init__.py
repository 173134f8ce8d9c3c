"""What do the sites of the recipes answer? Each module is named after its recipe."""
