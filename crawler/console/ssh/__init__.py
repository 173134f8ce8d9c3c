"""A console over SSH: whoever has one of the keys that the settings name gets what `crawler attach` gets."""
