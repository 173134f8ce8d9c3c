"""How is a crawl seen while it runs, from a browser or another shell? Imported once it is asked for."""
