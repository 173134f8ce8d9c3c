START = "http://named.example/"
