"""What contacts answered: conversations, replies, their labels, promises. The inbox."""
