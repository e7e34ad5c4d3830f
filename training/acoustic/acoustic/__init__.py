"""Trains the bundled acoustic model and writes it in the form stock Vosk loads."""
