"""Image classification: data sets, augmentation and the task."""
