"""The space ``bench/tc-resnet``: temporal convolutions for keyword spotting."""
