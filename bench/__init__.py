"""Measurements: how fast, at what cost, and are the results the same?"""
