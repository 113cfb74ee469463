"""From a recipe to CLIP: architectures, weights, and one clear message for whatever does not fit."""

import json

import open_clip
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from saflex_cli.config.clip import Clip
from saflex_cli.errors import CheckpointError, RecipeError, SaflexError
from saflex_cli.models.clip.build import build_clip
from saflex_cli.models.clip.towers import MEAN, STD
from saflex_cli.models.clip.weights import open_clip_state
from saflex_cli.seeding import Streams
from tests.models.clip.tiny import ARCHITECTURE, config, original, pictures, towers


def built(root, seed=1, **changes):
    return build_clip(config(**changes), root=root, streams=Streams(seed))


def assert_equal_states(found, expected):
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_random_weights_are_open_clips_from_the_seed():
    before = torch.get_rng_state()
    assert_equal_states(open_clip_state(towers()), (torch.get_rng_state(), original().state_dict())[1])
    torch.set_rng_state(before)
    towers()
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(towers(1).image_tower.projection, towers(2).image_tower.projection)


def test_an_architecture_is_a_file_too(tmp_path):
    (tmp_path / "tiny.json").write_text(json.dumps(ARCHITECTURE))
    assert_equal_states(built(tmp_path, architecture="tiny.json").state_dict(), towers(1).state_dict())
    (tmp_path / "tiny.json").write_text(json.dumps({**ARCHITECTURE, "embed": 3}))
    with pytest.raises(RecipeError, match=r"tiny\.json: embed: Extra inputs are not permitted; see "):
        built(tmp_path, architecture="tiny.json")
    with pytest.raises(RecipeError, match=r"^model: .*none\.json: cannot be read \(No such file or directory\)"):
        built(tmp_path, architecture="none.json")


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("vision_cfg", {"width": 40}, r"width must be a multiple of head_width \(16\)"),
        ("vision_cfg", {"patch_size": 5}, r"image_size must be a multiple of patch_size \(5\)"),
        ("text_cfg", {"width": 33}, r"width must be a multiple of heads \(2\)"),
        ("text_cfg", {"vocab_size": 100}, "Input should be 49408"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(part, changes, message):
    with pytest.raises(ValidationError, match=message):
        config(architecture={**ARCHITECTURE, part: {**ARCHITECTURE[part], **changes}})


@pytest.mark.parametrize("form", ["safetensors", "state dict", "open_clip's trainer"])
def test_stored_weights_come_back_bit_by_bit(form, tmp_path):
    state, file = open_clip_state(towers(7)), "tiny.pt"
    if form == "safetensors":
        file = "tiny.safetensors"
        save_file(state, tmp_path / file)
    elif form == "state dict":
        torch.save({**state, "vocab_size": torch.tensor(49408)}, tmp_path / file)
    else:
        torch.save(
            {"epoch": 3, "state_dict": {f"module.{name}": entry for name, entry in state.items()}}, tmp_path / file
        )
    found = built(tmp_path, weights=file)
    assert_equal_states(found.state_dict(), towers(7).state_dict())
    images = pictures()
    assert torch.equal(found.image_tower(images), towers(7).image_tower(images))


def test_what_is_handed_back_loads_into_open_clip():
    model = original(3)
    model.load_state_dict(open_clip_state(towers(4)))
    assert_equal_states(model.state_dict(), open_clip_state(towers(4)))


def test_weights_of_another_architecture_are_summarised(tmp_path):
    state = open_clip_state(towers())
    del state["ln_final.bias"]
    state["visual.proj"] = torch.zeros(32, 25)
    state.update({f"transformer.extra.{number}": torch.zeros(1) for number in range(5)})
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError) as error:
        built(tmp_path, weights="other.safetensors")
    assert str(error.value) == (
        f"{tmp_path / 'other.safetensors'}: does not hold the weights of the recipe's architecture: 1 missing "
        "(ln_final.bias); 5 unexpected (transformer.extra.0, transformer.extra.1, transformer.extra.2, …); 1 of "
        "another shape (visual.proj (32, 25) for (32, 24)). Set architecture: to that of the file"
    )


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.pt", "model.pt", "list.pt"])
def test_files_that_hold_no_weights_are_refused(name, tmp_path):
    if name == "model.pt":
        torch.save(torch.nn.Linear(1, 1), tmp_path / name)
    elif name == "list.pt":
        torch.save([torch.zeros(1)], tmp_path / name)
    else:
        (tmp_path / name).write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"(must be a safetensors file or a state dict|holds no state dict)"):
        built(tmp_path, weights=name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.pt: no such file; set weights: to one, or to null for random"):
        built(tmp_path, weights="none.pt")


@pytest.mark.parametrize("name", ["ViT-B/16-quickgelu", "vit-b-16-quickgelu", "ViT-B-16-quickgelu-"])
def test_an_unknown_name_has_a_nearest(name, tmp_path):
    with pytest.raises(RecipeError, match=f"no architecture {name!r}; did you mean ViT-B-16-quickgelu"):
        built(tmp_path, architecture=name)


@pytest.mark.parametrize("name", ["RN50", "roberta-ViT-B-32", "ViT-B-16-SigLIP", "convnext_base"])
def test_towers_without_a_matrix_are_refused(name, tmp_path):
    with pytest.raises(RecipeError, match=f"^model: the towers of {name} are not those of a plain CLIP"):
        built(tmp_path, architecture=name)


def test_openai_weights_need_quickgelu(tmp_path):
    with pytest.raises(RecipeError) as error:
        built(tmp_path, architecture="ViT-B-16", weights="openai")
    assert str(error.value) == (
        "model: the weights 'openai' were trained with QuickGELU, and ViT-B-16 computes with GELU; "
        "use architecture: ViT-B-16-quickgelu"
    )


def test_weights_for_other_pixels_are_refused(tmp_path):
    assert (MEAN, STD) == (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    with pytest.raises(RecipeError, match=r"^model: the weights 'laion2b_s32b_b82k' of ViT-L-14 expect pixels with"):
        built(tmp_path, architecture="ViT-L-14", weights="laion2b_s32b_b82k")


def test_unknown_weights_are_listed(tmp_path):
    with pytest.raises(RecipeError, match=r"has no weights 'openia' \(there are: openai.*\), and .*openia is no file"):
        built(tmp_path, architecture="ViT-B-16-quickgelu", weights="openia")


def test_without_a_network_the_message_says_where_the_weights_are(tmp_path, monkeypatch):
    def refuse(_source):
        raise FileNotFoundError("Failed to download file\nmore")

    monkeypatch.setattr(open_clip, "download_pretrained", refuse)
    with pytest.raises(CheckpointError) as error:
        build_clip(Clip(name="clip"), root=tmp_path, streams=Streams(0))
    assert str(error.value) == (
        "the weights 'openai' of ViT-B-16-quickgelu cannot be downloaded (Failed to download file). Where there is a "
        "network, get open_clip_model.safetensors from https://huggingface.co/timm/vit_base_patch16_clip_224.openai, "
        "put it under the data root, and set weights: to the file"
    )


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "open_clip", None)
    with pytest.raises(SaflexError, match=r"^CLIP needs the package open_clip_torch .*: pip install 'saflex\[clip\]'$"):
        built(tmp_path)


@pytest.mark.slow
def test_the_real_architecture_takes_stored_weights(tmp_path):
    save_file(open_clip.create_model("ViT-B-16-quickgelu").state_dict(), tmp_path / "b16.safetensors")
    found = built(tmp_path, architecture="ViT-B-16-quickgelu", weights="b16.safetensors")
    assert sum(parameter.numel() for parameter in found.parameters()) == 149_620_737
    assert found.image_tower.size == 224
    assert found.text_tower.context_length == 77
