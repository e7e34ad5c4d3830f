"""The assistant: understanding, dialogue, conversation hub, channels and command line."""
