"""Where runs execute; nothing about what they do."""
