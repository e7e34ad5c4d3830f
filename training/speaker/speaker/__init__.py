"""Trains the bundled speaker encoder and writes it as one ONNX file with its features."""
