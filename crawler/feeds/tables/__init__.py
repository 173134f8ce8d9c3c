"""How do items get into tables of a database, each once?"""
