"""What do many workers come to: as fast as one each, as polite as one, and with the items of one?"""
