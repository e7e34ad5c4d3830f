"""What the counter understands: Rasa NLU over a spaCy `zh` pipeline of our own.

Runs on its own Python 3.10 because Rasa 3.6.21, the last open-source line, does. The app never imports
this package; it speaks to `python -m zhanggui_nlu.serve` over loopback HTTP.
"""

from __future__ import annotations

__version__ = "1.0.0"
