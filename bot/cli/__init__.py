"""The command line: `zhanggui COMMAND`."""
