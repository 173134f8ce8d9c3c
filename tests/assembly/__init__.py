"""Are the rooms put together as they should be?"""
