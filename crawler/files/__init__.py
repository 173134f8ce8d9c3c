"""How do files and images come into a store, for the items that name them?"""
