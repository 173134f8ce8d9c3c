"""The sample pages, and the spiders and pipelines of this project on them."""
