"""What other plugins and programs may import from `denas_bench`."""

from .nasbench201.space import NASBench201 as NASBench201
