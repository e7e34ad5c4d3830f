"""Measuring the assistant: scripted conversations, intents, answers, turns per second."""
