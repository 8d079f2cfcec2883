"""Steps of the smallest networks; nothing in it is for Python."""
