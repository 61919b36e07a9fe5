"""From sound to what a recogniser sees: filterbanks, resampling, normalisation and augmentation."""
