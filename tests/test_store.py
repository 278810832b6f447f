"""Files give back the same model to the last bit; damaged, foreign and forged ones are refused without being run."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from kanlab import KAN, store
from kanlab.symbolic import library
from tests.engine.cases import points, rough


def plain() -> KAN:
    model = KAN([2, 3, 1], grid=4, seed=1)
    rough(model)
    return model


def rich() -> KAN:
    """Names, gaps, a multiplication node, several degrees, frozen parts, samples and labels."""
    model = KAN([3, [2, 1], 2], grid=[3, 6], k=[3, 2], mult_arity=3, base_fun="identity", grid_eps=0.3, seed=2)
    rough(model)
    model.layer(0).fix(0, 0, library.get("sin"), (1.3, 0.2, 0.7, -0.1))
    model.layer(1).fix(2, 1, library.get("x^2"), (1.0, 0.0, 0.5, 0.0))
    model.remove_edge(0, 1, 2)
    model.layer(0).coef.requires_grad_(False)
    model.layer(1).affine.requires_grad_(False)
    model.show(points(30, 3), points(30, 2, seed=1))
    return model


def single() -> KAN:
    return KAN([2, 2, 1], seed=3, dtype=torch.float32)


def classifier() -> KAN:
    model = KAN([2, 3], seed=4)
    model.show(points(12, 2), torch.arange(12) % 3)
    return model


def pruned() -> KAN:
    model = plain()
    model.show(points(50, 2))
    return model.prune(edge_th=0.2, node_th=0.2)


def unequal() -> KAN:
    """Arities per node, frozen scales, nearest neighbours only."""
    model = KAN([2, [1, 2], 1], mult_arity=[[], [2, 3], []], sb_trainable=False, sp_trainable=False, sparse_init=True)
    rough(model)
    return model


def of_some_columns() -> KAN:
    """Inputs pruned, on a grid refined."""
    model = KAN([4, 2, 1], seed=6)
    rough(model)
    model.show(points(50, 4))
    return model.prune_input(active_inputs=[0, 3]).refine(7)


MODELS = [plain, unequal, of_some_columns, rich, single, classifier, pruned]


@pytest.mark.parametrize("make", MODELS)
def test_saved_and_loaded_models_are_the_same_to_the_last_bit(make, tmp_path):
    model = make()
    model.save(tmp_path / "m.kan")
    loaded = KAN.load(tmp_path / "m.kan")
    assert type(loaded) is KAN
    x = points(40, model.n_columns, seed=9, reach=1.3)
    assert torch.equal(loaded(x), model(x))
    assert loaded.input_id == model.input_id
    assert loaded.width == model.width
    assert loaded.mult_arity == model.mult_arity
    assert loaded.dtype == model.dtype
    assert loaded.grid_eps == model.grid_eps
    state, other = model.state_dict(), loaded.state_dict()
    assert state.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in state.items())
    for layer, twin in zip(model.kan_layers(), loaded.kan_layers(), strict=True):
        assert {edge: f.name for edge, f in layer.fixed.items()} == {edge: f.name for edge, f in twin.fixed.items()}
    frozen = [[n for n, p in m.named_parameters() if not p.requires_grad] for m in (model, loaded)]
    assert frozen[0] == frozen[1]
    for a, b in ((model.samples, loaded.samples), (model.targets, loaded.targets)):
        if a is None or b is None:
            assert a is b
        else:
            assert torch.equal(a, b)
            assert a.dtype == b.dtype


def test_users_functions_are_found_by_name_or_asked_for(tmp_path):
    library.register("hill", lambda u: 1 / (1 + u**2), lambda u: 1 / (1 + u**2))
    try:
        model = plain()
        model.layer(0).fix(0, 1, library.get("hill"), (2.0, 0.1, 1.0, 0.0))
        model.save(tmp_path / "m.kan")
        x = points(40, model.n_in)
        assert torch.equal(KAN.load(tmp_path / "m.kan")(x), model(x))
    finally:
        library.unregister("hill")
    with pytest.raises(ValueError, match=r"edge \(0, 0, 1\) carries 'hill'.*call kanlab.register\('hill'"):
        KAN.load(tmp_path / "m.kan")


def test_loaded_models_go_on_training(tmp_path):
    x = points(60, 2)
    dataset = {"train_input": x, "train_label": x[:, [0]] ** 2 + x[:, [1]]}
    model = plain()
    model.fit(dataset, steps=5, log=0)
    model.save(tmp_path / "m.kan")
    loaded = KAN.load(tmp_path / "m.kan")
    again, first = loaded.fit(dataset, steps=5, log=0), model.fit(dataset, steps=5, log=0)
    assert again["train_loss"] == first["train_loss"]


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_may_be_text_or_path(kind, tmp_path):
    path = kind(tmp_path / "no ending")
    plain().save(path)
    assert KAN.load(path).width == [[2, 0], [3, 0], [1, 0]]
    assert [entry.name for entry in tmp_path.iterdir()] == ["no ending"]


def test_records_are_copies():
    model = rich()
    config, tensors = store.to_record(model)
    with torch.no_grad():
        model.layer(0).coef.zero_()
        model.seen().zero_()
    assert bool(tensors["layers.0.coef"].any())
    assert bool(tensors["samples"].any())
    assert json.loads(json.dumps(config)) == config


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.kan"
    plain().save(path)
    before = path.read_bytes()

    def broken(tensors, filename, metadata):
        Path(filename).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(store, "save_file", broken)
    with pytest.raises(OSError, match="disk full"):
        rich().save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.kan"]


# ---- what is refused


def test_missing_files_are_told_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.kan"):
        KAN.load(tmp_path / "nowhere.kan")
    with pytest.raises(FileNotFoundError):
        KAN.load(tmp_path)


@given(part=st.floats(0.0, 0.999))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_truncated_files_are_refused(part, tmp_path):
    path = tmp_path / "m.kan"
    rich().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ValueError, match="not a kanlab file, or it is damaged"):
        KAN.load(path)


@given(at=st.integers(0, 2000), byte=st.integers(0, 255))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_gives_a_model_or_a_value_error(at, byte, tmp_path):
    path = tmp_path / "m.kan"
    rich().save(path)
    content = bytearray(path.read_bytes())
    content[at % len(content)] = byte
    path.write_bytes(bytes(content))
    try:
        loaded = KAN.load(path)
    except ValueError:
        return
    assert loaded.n_in == 3


@pytest.mark.parametrize(
    "content", [b"", b"not a model", b"{}", b"\x00" * 64, b"\xff" * 64, b"PK\x03\x04" + b"\x00" * 60]
)
def test_foreign_files_are_refused(content, tmp_path):
    path = tmp_path / "m.kan"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a kanlab file"):
        KAN.load(path)


class Trap:
    """Unpickling this would create a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("save", [pickle.dump, lambda value, file: torch.save(value, file)])
def test_pickles_are_refused_and_never_run(save, tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "m.kan"
    with path.open("wb") as file:
        save(Trap(trap), file)
    with pytest.raises(ValueError, match="not a kanlab file"):
        KAN.load(path)
    assert not trap.exists()


def test_other_safetensors_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"w": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="not a kanlab file"):
        KAN.load(path)
    save_file({"w": torch.zeros(3)}, path, metadata={"kanlab": "no json"})
    with pytest.raises(ValueError, match="not a kanlab file"):
        KAN.load(path)


def forge(path: Path, *, header: dict[str, Any] | None = None, **config: Any) -> None:
    """Save `rich` with another header or configuration."""
    rich().save(path)
    tensors = load_file(path)
    length = struct.unpack("<Q", path.read_bytes()[:8])[0]
    told = json.loads(json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]["kanlab"])
    told |= header or {}
    if isinstance(told["config"], dict):
        told["config"] |= config
    save_file(tensors, path, metadata={"kanlab": json.dumps(told)})


def test_forging_itself_gives_a_model_where_nothing_is_forged(tmp_path):
    forge(tmp_path / "m.kan")
    assert KAN.load(tmp_path / "m.kan").n_in == 3


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"format": 99}, "format 99; this version of kanlab reads format 1"),
        ({"kind": "session"}, "holds a session, not a model"),
        ({"config": None}, "does not describe a kanlab model"),
        ({"config": []}, "does not describe a kanlab model"),
    ],
)
def test_other_versions_and_kinds_are_told(header, says, tmp_path):
    forge(tmp_path / "m.kan", header=header)
    with pytest.raises(ValueError, match=says):
        KAN.load(tmp_path / "m.kan")


@pytest.mark.parametrize(
    "config",
    [
        {"width": [[3, 0], [2, 1], [1, 0]]},
        {"width": [[3, 0], [10**9, 0], [2, 0]]},
        {"width": "many"},
        {"width": None},
        {"grid": [3, 10**9]},
        {"grid": [3]},
        {"grid": 3},
        {"k": [3, -2]},
        {"mult_arity": 10**9},
        {"mult_arity": [[], [2, 10**9], []]},
        {"mult_arity": [[], [2], []]},
        {"width": [[3, 0], [2, 10**9], [2, 0]]},
        {"dtype": "float16"},
        {"dtype": "load"},
        {"base_fun": "__import__"},
        {"grid_eps": 7},
        {"input_id": [0, 1]},
        {"input_id": [0, 2, 1]},
        {"input_id": [0, 1, 3]},
        {"input_id": [0, 1, 2.0]},
        {"input_id": [-1, 0, 1]},
        {"input_id": None},
        {"n_columns": 2},
        {"fixed": [[0, 0, 0, "os.system"]]},
        {"fixed": [[0, 9, 0, "sin"]]},
        {"fixed": [[0, 0, 0]]},
        {"fixed": [[0, "0", 0, "sin"]]},
        {"frozen": ["layers.0.nothing"]},
        {"frozen": [3]},
        {"frozen": ["__class__"]},
    ],
    ids=str,
)
def test_configurations_that_do_not_fit_are_refused(config, tmp_path):
    forge(tmp_path / "m.kan", **config)
    with pytest.raises(ValueError, match=r"does not describe a kanlab model: ."):
        KAN.load(tmp_path / "m.kan")


@pytest.mark.parametrize("name", ["layers.0.coef", "layers.1.mask", "layers.0.knots", "samples", "targets"])
@pytest.mark.parametrize("change", ["shape", "dtype", "missing"])
def test_tensors_that_do_not_fit_are_refused(name, change, tmp_path):
    config, tensors = store.to_record(rich())
    if change == "shape":
        tensors[name] = tensors[name][:-1] if name == "targets" else torch.cat([tensors[name]] * 2, -1)
    elif change == "dtype" and name != "targets":
        tensors[name] = tensors[name].float()
    elif name in ("samples", "targets"):
        del tensors["samples"]  # labels without samples
    else:
        del tensors[name]
    store.write(tmp_path / "m.kan", "model", config, tensors)
    with pytest.raises(ValueError, match=r"does not describe a kanlab model: ."):
        KAN.load(tmp_path / "m.kan")


def test_a_deeply_nested_header_is_refused(tmp_path):
    path = tmp_path / "m.kan"
    save_file({"w": torch.zeros(3)}, path, metadata={"kanlab": "[" * 100_000 + "]" * 100_000})
    with pytest.raises(ValueError, match="not a kanlab file"):
        KAN.load(path)
