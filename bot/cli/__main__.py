"""`python -m bot.cli` is the same as `zhanggui`."""

from bot.cli.main import main

main()
