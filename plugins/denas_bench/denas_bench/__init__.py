"""The networks of public architecture benchmarks, and tables of their accuracies."""
