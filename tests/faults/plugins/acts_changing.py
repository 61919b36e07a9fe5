"""What a score may change that belongs to others: where it is shared its trial fails, where not it is put back."""

from __future__ import annotations

NETWORK = r"changed the network, which all scores share"
TRACE = r"changed a trace, which all scores share"

_SHARED: dict[str, tuple[str, str]] = {
    "weights_in_place": (
        NETWORK,
        "with torch.no_grad():\n    next(candidate.network(SPEC).parameters()).add_(1)",
    ),
    "weights_by_data": (NETWORK, "next(candidate.network(SPEC).parameters()).data.zero_()"),
    "weights_by_numpy": (
        NETWORK,
        "next(candidate.network(SPEC).parameters()).detach().numpy()[:] = 0",
    ),
    "weights_exchanged": (
        NETWORK,
        "p = next(candidate.network(SPEC).parameters())\np.data = torch.zeros_like(p)",
    ),
    "parameter_replaced": (
        NETWORK,
        "n = candidate.network(SPEC)\nn[0].weight = torch.nn.Parameter(torch.zeros_like(n[0].weight))",
    ),
    "buffers_in_place": (NETWORK, "candidate.network(SPEC)[1].running_mean.fill_(3)"),
    "frozen": (NETWORK, "candidate.network(SPEC).requires_grad_(False)"),
    "gradients_left": (
        NETWORK,
        "candidate.network(SPEC)(torch.ones(2, 3, 8, 8)).sum().backward()",
    ),
    "forward_hook": (NETWORK, "candidate.network(SPEC)[0].register_forward_hook(lambda *_: None)"),
    "tensor_hook": (NETWORK, "next(candidate.network(SPEC).parameters()).register_hook(lambda g: g * 2)"),
    "layer_replaced": (NETWORK, "candidate.network(SPEC)[2] = torch.nn.Tanh()"),
    "layer_added": (NETWORK, "candidate.network(SPEC).append(torch.nn.Tanh())"),
    "layer_removed": (NETWORK, "del candidate.network(SPEC)[2]"),
    "forward_replaced": (NETWORK, "candidate.network(SPEC)[2].forward = lambda x: x * 0"),
    "layer_of_another_class": (NETWORK, "candidate.network(SPEC)[2].__class__ = torch.nn.Tanh"),
    "layer_setting": (NETWORK, "candidate.network(SPEC)[0].padding = (0, 0)"),
    "eval_mode": (NETWORK, "n = candidate.network(SPEC)\nn.train(not n.training)"),
    "moved_to_double": (NETWORK, "candidate.network(SPEC).double()"),
    "gradient_in_place": (
        TRACE,
        "for g in candidate.trace(SPEC).gradients.values(): g.zero_()",
    ),
    "gradient_by_data": (TRACE, "for g in candidate.trace(SPEC).gradients.values(): g.data.zero_()"),
    "gradients_emptied": (TRACE, "candidate.trace(SPEC).gradients.clear()"),
    "gradient_replaced": (
        TRACE,
        "g = candidate.trace(SPEC).gradients\nname = next(iter(g))\ng[name] = g[name] * 2",
    ),
    "features_in_place": (TRACE, "candidate.trace(SPEC).outputs.features.zero_()"),
    "trace_field": (
        r"crashed: FrozenInstanceError|changed a trace",
        "candidate.trace(SPEC).gradients = {}",
    ),
    "trace_weights": (
        r"changed (a trace|the network)",
        "for p in candidate.trace(SPEC).parameters.values(): p.zero_()",
    ),
    "candidate_seed": (r"changed the candidate", "candidate.seed = 7"),
    "candidate_space": (
        r"changed the candidate",
        "import copy\ncandidate.space = copy.copy(candidate.space)",
    ),
    "architecture_values": (r"crashed: TypeError", "candidate.arch.values['width'] = 2"),
    "architecture_field": (r"crashed: (FrozenInstanceError|AttributeError)", "candidate.arch.key = 'x'"),
    "option_of_the_space": (r"changed option 'classes' of good/tiny", "candidate.space.classes = 5"),
    "option_of_its_own": (r"changed option 'sizes' of option_of_its_own/it", "self.sizes.append(3)"),
}

_PROCESS = {
    "reseeds_random": "random.seed(1)",
    "reseeds_numpy": "numpy.random.seed(1)",
    "reseeds_torch": "torch.manual_seed(1)",
    "default_dtype": "torch.set_default_dtype(torch.float64)",
    "default_device": "torch.set_default_device('meta')",
    "threads": "torch.set_num_threads(2 if torch.get_num_threads() == 1 else 1)",
    "deterministic": "torch.use_deterministic_algorithms(True)",
    "precision": "torch.set_float32_matmul_precision('medium')",
    "no_gradients": "torch.set_grad_enabled(False)",
    "inference_mode": "torch.inference_mode().__enter__()",
    "flushes_denormals": "torch.set_flush_denormal(True)",
    "numpy_errors": "numpy.seterr(all='raise')",
    "changes_directory": "os.chdir('/')",
    "deletes_the_directory": """
        import tempfile
        place = tempfile.mkdtemp()
        os.chdir(place)
        os.rmdir(place)
    """,
    "environment": "os.environ['PATH'] = ''; os.environ['DENAS_FAULTY'] = '1'; os.environ.pop('HOME', None)",
    "empties_the_environment": "os.environ.clear()",
    "warnings_as_errors": "import warnings; warnings.simplefilter('error')",
    "signal_handlers": """
        import signal
        for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)
    """,
    "prints": "print('owned')",
    "prints_bytes": "sys.stdout.buffer.write(b'owned'); sys.stdout.buffer.flush()",
    "writes_to_file_descriptor_1": "os.write(1, b'owned')",
    "child_prints": "import subprocess; subprocess.run(['echo', 'owned'], check=True)",
    "closes_stdout": "sys.stdout.close(); sys.stderr.close(); sys.__stdout__.close()",
    "closes_file_descriptor_1": "os.close(1)",
    "closes_file_descriptor_2": "os.close(2)",
    "replaces_stdout": "sys.stdout = sys.stderr = sys.__stdout__ = None",
    "detaches_stdout": "try:\n    sys.stdout.detach()\nexcept Exception:\n    pass",
    "deletes_stdout": "del sys.stdout",
}

CHANGING: dict[str, tuple[str, str]] = {**_SHARED, **{name: ("", act) for name, act in _PROCESS.items()}}
