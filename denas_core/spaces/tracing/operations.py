"""Names of operations of torch, by how the members of weights go through them."""

from __future__ import annotations

MOVES = frozenset(
    {
        "view", "_unsafe_view", "reshape", "permute", "transpose", "t", "expand", "select", "slice",
        "unbind", "split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk",
        "unsqueeze", "squeeze", "clone", "alias", "detach", "contiguous", "flip", "roll", "index",
        "index_select", "gather", "repeat", "lift_fresh", "unfold", "diagonal", "narrow", "_to_copy",
        "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "_reshape_alias", "as_strided", "movedim",
    }
)  # fmt: skip
"""They keep elements and move them."""

SAME = frozenset(
    {
        "_softmax", "_log_softmax", "hardtanh", "hardswish", "hardsigmoid", "cumsum", "tril", "triu",
        "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "bernoulli",
        "masked_fill", "new_zeros", "dropout", "native_dropout", "_prelu_kernel", "softplus",
        "log_sigmoid_forward", "leaky_relu", "elu", "mish", "silu", "gelu", "copy",
    }
)  # fmt: skip
"""The result has the members of what they take, though torch does not mark them as elementwise."""

REDUCTIONS = frozenset(
    {
        "mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "logsumexp",
        "linalg_vector_norm", "norm", "prod", "any", "all", "argmax", "argmin",
    }
)  # fmt: skip
"""They sum over dimensions."""

SOURCES = frozenset(
    {
        "empty", "zeros", "ones", "full", "arange", "scalar_tensor", "rand", "randn", "linspace", "eye",
        "randint", "randperm", "new_empty", "new_full",
    }
)  # fmt: skip
"""They make a tensor of nothing."""

OF_VALUES = frozenset(
    {
        "_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique", "_unique2",
        "item",
    }
)  # fmt: skip
"""They give the program a value of a tensor, or a shape that depends on it."""

RULES = frozenset(
    {
        "cat", "stack", "constant_pad_nd", "embedding", "mm", "addmm", "bmm", "baddbmm", "convolution",
        "native_batch_norm", "native_layer_norm", "native_batch_norm_legit_no_training",
        "native_batch_norm_legit", "cudnn_batch_norm", "batch_norm_no_update", "fused_rms_norm",
        "native_group_norm",
    }
)  # fmt: skip
"""They have a rule of their own: a method of `Trace` with their name."""

POOLS = (
    "max_pool", "avg_pool", "adaptive_", "_adaptive_", "upsample_", "_upsample_", "reflection_pad", "replication_pad",
)  # fmt: skip
"""How the names of operations begin that change the resolution behind the channels."""
