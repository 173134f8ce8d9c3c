"""What happens to items: one stage a file."""
