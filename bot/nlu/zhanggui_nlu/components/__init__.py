"""Rasa graph components of ours. They import neither TensorFlow nor scikit-learn when a model is served."""
