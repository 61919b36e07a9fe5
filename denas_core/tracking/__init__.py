"""Experiment trackers: what a search or a training logs to TensorBoard, MLflow, Weights & Biases or Trackio."""
