import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import trained
from safetensors.numpy import load_file, save_file

from classifier import classify, models
from classifier.errors import ModelError, OutputError
from classifier.labels import LABELS
from classifier.models.layout import model_id_of, sha256_of


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    return trained.save(tmp_path_factory.mktemp("models") / "tiny" / "1")


@pytest.fixture
def folder(saved, tmp_path):
    """Return a copy that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "tiny" / "1"))


def describe(folder, **changes):
    """Change keys of model.json as someone would who knows how: with the right fingerprint."""
    path = folder / models.DESCRIPTION
    body = {**json.loads(path.read_text()), **changes}
    body = {key: value for key, value in body.items() if value is not None}
    if {"features", "bias", "heads", "files"} <= set(body):
        body["model_id"] = model_id_of(body)
    path.write_text(json.dumps(body))


def rewrite(folder, **tensors):
    """Replace the weights by others that model.json vouches for."""
    path = folder / models.WEIGHTS
    save_file({name: value for name, value in tensors.items() if value is not None}, str(path))
    describe(folder, files={models.WEIGHTS: sha256_of(path)})


# Saving and loading


def test_what_is_saved_is_what_is_loaded(saved):
    loaded = models.load(saved)
    expected = trained.model()
    assert asdict(loaded.fast.features) == asdict(expected.features)
    assert loaded.fast.heads == expected.heads
    assert loaded.fast.bias == expected.bias
    np.testing.assert_array_equal(loaded.fast.index, expected.index)
    np.testing.assert_array_equal(loaded.fast.weights, expected.weights)
    assert loaded.fast.weights.dtype == np.float16
    assert (loaded.name, loaded.version, loaded.languages, loaded.folder) == ("tiny", "1", ("en",), saved)
    assert loaded.description["about"] == {"documents": len(trained.documents())}
    assert loaded.tiers == ("fast",)


def test_a_loaded_model_scores_like_the_one_that_was_saved(saved):
    texts = trained.documents()["text"].tolist()[:40]
    loaded, expected = (
        classify.score_texts(model, texts) for model in (models.load(saved).fast, trained.model())
    )
    np.testing.assert_array_equal(loaded.probability, expected.probability)


def test_the_same_model_gives_the_same_files_and_the_same_id(saved, tmp_path):
    again = trained.save(tmp_path / "1")
    assert sorted(path.name for path in again.iterdir()) == ["card.md", "model.json", "weights.safetensors"]
    for path in again.iterdir():
        assert path.read_bytes() == (saved / path.name).read_bytes()
    assert models.load(again).model_id.startswith("tiny-1-")


def test_the_id_changes_with_whatever_decides_a_score(saved, tmp_path):
    model = trained.trained().model
    head = model.heads[LABELS[0]]
    others = [
        replace(model, bias=(0.0, *model.bias[1:])),
        replace(model, heads={**model.heads, LABELS[0]: replace(head, threshold=0.5)}),
        replace(model, weights=model.weights * 2),
    ]
    ids = [
        models.save(
            tmp_path / str(place), other, name="tiny", version="1", languages=["en"], about={}, card=""
        )
        for place, other in enumerate(others)
    ]
    assert len({*ids, models.load(saved).model_id}) == 4


def test_files_are_readable_by_others(saved):
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in saved.iterdir())


def test_a_model_is_never_overwritten(folder):
    before = (folder / models.WEIGHTS).read_bytes()
    with pytest.raises(
        OutputError, match="holds a model already; models are never overwritten, give another --out"
    ):
        trained.save(folder)
    assert (folder / models.WEIGHTS).read_bytes() == before


def test_a_folder_that_cannot_be_written(tmp_path):
    folder = tmp_path / "model"
    (folder / models.WEIGHTS).mkdir(parents=True)
    with pytest.raises(
        OutputError, match=r"the model can't be written: .*; free the disk or give another --out"
    ):
        trained.save(folder)
    assert not (folder / models.DESCRIPTION).exists()


@pytest.mark.parametrize("inside", ["", "deep/er"])
def test_a_file_in_the_way_of_a_folder(inside, tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(OutputError, match="model is a file, but a model is a folder; give another --out"):
        models.require_free(tmp_path / "model" / inside)


def test_a_folder_whose_name_no_disk_takes(tmp_path):
    with pytest.raises(OutputError, match="can't be used: File name too long; give another --out"):
        models.require_free(tmp_path / ("m" * 300))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="the system has no /proc")
def test_a_folder_that_may_not_be_written():
    with pytest.raises(
        OutputError, match=r"/proc can't be written to: .*; change that or give another --out"
    ):
        models.require_free(Path("/proc/mine/1"))


def test_looking_at_a_folder_leaves_nothing_there(tmp_path):
    models.require_free(tmp_path / "mine" / "1")
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_never_written_over(tmp_path):
    (tmp_path / models.CARD).write_text("Somebody's")
    with pytest.raises(
        OutputError, match=r"holds files that are of no model \(card.md\); give an --out that"
    ):
        trained.save(tmp_path)
    assert (tmp_path / models.CARD).read_text() == "Somebody's"


def test_what_an_interrupted_save_left_is_in_nobodys_way(tmp_path):
    for name in (models.WEIGHTS, models.CARD, f"{models.DESCRIPTION}.part", ".gitkeep"):
        (tmp_path / name).write_text("half")
    assert models.load(trained.save(tmp_path)).name == "tiny"


# Finding


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("models/ours/1", ("ours", "1", True)),
        ("elsewhere/ours/2", ("ours", "2", True)),
        ("work/models/../models/ours/1", ("ours", "1", True)),
        # No version: its last part is its name, and CURRENT has no place beside it.
        ("mine", ("mine", "1", False)),
        ("models/ours", ("ours", "1", False)),
        ("photos/mine", ("mine", "1", False)),
        (".", ("here", "1", False)),
    ],
)
def test_what_a_new_model_is_called(out, expected, tmp_path, monkeypatch):
    here = tmp_path / "work" / "here"
    for folder in (here / "photos", here / "work" / "models", tmp_path / "work" / "other"):
        folder.mkdir(parents=True)
    (here / "photos" / "holiday.jpg").write_text("")
    monkeypatch.chdir(here)
    found = models.called(Path(out))
    assert (found.name, found.version, found.versioned) == expected


def test_a_later_version_beside_the_first(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "ours" / "1")
    (tmp_path / "ours" / "CURRENT").write_text("1\n")
    assert models.called(tmp_path / "ours" / "2").versioned
    assert models.current_of(tmp_path / "ours" / "2") == "1"
    (tmp_path / "ours" / "notes.txt").write_text("")
    assert not models.called(tmp_path / "ours" / "2").versioned
    assert models.current_of(tmp_path / "ours" / "2") == ""


def test_what_a_model_can_be_used_as(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for version in ("1", "2"):
        shutil.copytree(saved, tmp_path / "models" / "ours" / version)
    (tmp_path / "models" / "ours" / "CURRENT").write_text("1\n")
    assert models.usable_as(Path("models/ours/1")) == "ours"
    assert models.usable_as(Path("models/ours/2")) == "ours/2"
    assert models.usable_as(saved) == str(saved)


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_means_no_model(name, saved):
    with pytest.raises(ModelError, match="the name of the model is empty; give one, such as default, or"):
        models.find(name, places=[saved.parent])


def test_find_by_path_name_and_version(saved):
    places = [saved.parent.parent]
    (saved.parent / models.CURRENT).write_text("1\n")
    assert models.find(str(saved), places=[]) == saved
    assert models.find(str(saved.parent), places=[]) == saved
    assert models.find("tiny", places=places) == saved
    assert models.find("tiny/1", places=places) == saved


def test_the_first_place_wins(folder, saved, tmp_path):
    (folder.parent / models.CURRENT).write_text("1")
    (saved.parent / models.CURRENT).write_text("1")
    here, there = folder.parent.parent, saved.parent.parent
    assert models.find("tiny", places=[here, there]) == folder
    assert models.find("tiny", places=[there, here]) == saved
    assert models.find("tiny", places=[tmp_path / "nowhere", there]) == saved


def test_a_path_wins_over_a_name(folder, saved, monkeypatch):
    (saved.parent / models.CURRENT).write_text("1")
    (folder.parent / models.CURRENT).write_text("1")
    monkeypatch.chdir(folder.parent.parent)
    assert models.find("tiny", places=[saved.parent.parent]) == Path("tiny/1")


def test_an_unknown_model_lists_the_known_ones(folder, tmp_path):
    (folder.parent / models.CURRENT).write_text("1")
    with pytest.raises(ModelError) as caught:
        models.find("tinny", places=[tmp_path, tmp_path / "nowhere"])
    assert str(caught.value) == (
        f"no model 'tinny' (did you mean 'tiny'?); looked in: {tmp_path}, {tmp_path / 'nowhere'}; "
        "found there: tiny, tiny/1; give one of these or a model's folder (--model), or the folder that "
        "holds it (--models, or folder in Python)"
    )
    with pytest.raises(ModelError, match=r"no model 'tiny/7'.*found there: tiny, tiny/1"):
        models.find("tiny/7", places=[tmp_path])
    with pytest.raises(ModelError, match="no model 'x'; looked in: no folder; found there: none"):
        models.find("x", places=[])


def test_a_model_that_a_folder_of_models_hides_is_told_of(tmp_path):
    shipped = models.find("default", places=models.folders())
    with pytest.raises(ModelError, match=re.escape(f"found there: none; one of that name is {shipped}; ")):
        models.find("default", places=[tmp_path])
    assert models.find(str(shipped), places=[tmp_path]) == shipped


@pytest.mark.parametrize("text", ["2", "", ".."])
def test_current_names_a_version_that_is_not_there(text, folder, tmp_path):
    current = folder.parent / models.CURRENT
    current.write_text(f"{text}\n")
    with pytest.raises(ModelError) as caught:
        models.find("tiny", places=[tmp_path])
    assert str(caught.value) == (
        f"{current} names version {text!r}, which is not there; write the name of one that is into it (1)"
    )
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match=r"\(none is\)"):
        models.find("tiny", places=[tmp_path])


def test_current_that_is_no_text(folder, tmp_path):
    (folder.parent / models.CURRENT).write_bytes(b"\xff")
    with pytest.raises(ModelError, match=r"CURRENT can't be read: .*; write the name of a version into it"):
        models.find("tiny", places=[tmp_path])


def test_where_models_are_looked_for(tmp_path):
    assert models.folders(str(tmp_path)) == [tmp_path]
    usual = models.folders()
    assert usual[0] == Path("models")
    assert usual[-1] == trained.ROOT / "models"


def test_a_tier_that_the_model_lacks(saved):
    model = models.load(saved)
    assert models.choose_tier(model, None) is model
    assert models.choose_tier(model, "fast") is model
    with pytest.raises(
        ModelError, match="has no tier 'accurate', only fast; use --tier fast or another --model"
    ):
        models.choose_tier(model, "accurate")


# Damage


def test_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"model.json is missing: .* holds no model$"):
        models.load(tmp_path)


def test_a_missing_file(folder):
    (folder / models.WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"weights.safetensors is missing; fetch the model again"):
        models.load(folder)


def test_a_changed_byte(folder):
    path = folder / models.WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"damaged: its sha256 is \w{12}…, model.json names \w{12}…; fetch the model"
    ):
        models.load(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": 1'])
def test_a_description_that_is_no_json(content, folder):
    (folder / models.DESCRIPTION).write_bytes(content)
    with pytest.raises(ModelError, match=r"model.json can't be read: .*; fetch the model again"):
        models.load(folder)


@pytest.mark.parametrize("languages", [5, "en", [5], {}])
def test_languages_that_are_no_list_of_codes(languages, folder):
    describe(folder, languages=languages)
    with pytest.raises(ModelError, match="languages must be a list of codes, such as"):
        models.load(folder)


def test_a_folder_of_another_kind_of_model():
    encoder = models.find("encoder", places=models.folders())
    with pytest.raises(ModelError, match=r"model.json describes no model that labels; use one that does"):
        models.load(encoder)


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_a_description_that_is_no_object(content, folder):
    (folder / models.DESCRIPTION).write_text(content)
    with pytest.raises(ModelError, match=r"model.json holds no JSON object; fetch the model again"):
        models.load(folder)


@pytest.mark.parametrize("key", ["heads", "files", "stacked", "model_id", "format"])
def test_a_description_that_lacks_a_key(key, folder):
    path = folder / models.DESCRIPTION
    body = json.loads(path.read_text())
    del body[key]
    path.write_text(json.dumps(body))
    with pytest.raises(ModelError, match=f"model.json lacks {key}; fetch the model again"):
        models.load(folder)


def test_a_model_of_format_1_divides_by_all_ngrams(folder):
    path = folder / models.DESCRIPTION
    body = json.loads(path.read_text())
    body["format"] = 1
    assert body["features"].pop("per_known")
    path.write_text(json.dumps({**body, "model_id": model_id_of(body)}))
    assert not models.load(folder).fast.features.per_known


def test_a_newer_format_is_told_before_its_other_keys(folder):
    (folder / models.DESCRIPTION).write_text('{"format": 4, "tiers": {}}')
    with pytest.raises(
        ModelError, match=r"has format 4, this program reads 1 to 3; .* or update the program"
    ):
        models.load(folder)


@pytest.mark.parametrize(
    ("key", "value", "known"),
    [
        ("labels", ["bug", "praise"], "pain_point, feature_request, expectation_gap"),
        ("labels", list(reversed(LABELS)), "pain_point, feature_request, expectation_gap"),
        ("expectation_sources", ["advertised"], "advertised, sold, documented"),
        ("stacked", ["document"], "document, best_unit"),
    ],
)
def test_a_model_of_other_names(key, value, known, folder):
    describe(folder, **{key: value})
    with pytest.raises(
        ModelError, match=f"made for {key} .*; this program knows {known}.*; train the model again"
    ):
        models.load(folder)


@pytest.mark.parametrize("key", ["bias", "heads", "features", "files", "name"])
def test_a_description_that_was_edited(key, folder):
    path = folder / models.DESCRIPTION
    body = json.loads(path.read_text())
    edited = {
        "bias": [0.0, *body["bias"][1:]],
        "heads": {**body["heads"], LABELS[0]: {**body["heads"][LABELS[0]], "threshold": 0.01}},
        "features": {**body["features"], "words": 1},
        "files": {},
        "name": "default",
    }
    path.write_text(json.dumps({**body, key: edited[key]}))
    with pytest.raises(ModelError, match="was changed after the model was saved; fetch the model again"):
        models.load(folder)


def test_a_description_that_vouches_for_no_weights(folder):
    describe(folder, files={})
    with pytest.raises(ModelError, match="was changed after the model was saved"):
        models.load(folder)


def test_weights_of_other_shapes(folder):
    tensors = load_file(str(folder / models.WEIGHTS))
    for index, weights in [
        (tensors["index"][:-1], tensors["weights"]),
        (tensors["index"], tensors["weights"][:, :-1]),
        (tensors["index"], tensors["weights"].ravel()),
    ]:
        rewrite(folder, index=np.ascontiguousarray(index), weights=np.ascontiguousarray(weights))
        with pytest.raises(
            ModelError, match=r"shapes \(.*\) and \(.*\), expected \(65536,\) and \(n, 13\); fetch"
        ):
            models.load(folder)


def test_weights_are_those_of_the_file_after_the_kernel_has_taken_its_own(folder):
    """They are a part of the file, whose pages are given back then: nothing of them may be lost."""
    tensors, fast = load_file(str(folder / models.WEIGHTS)), models.load(folder).fast
    assert isinstance(fast.weights.base, np.memmap)
    assert fast.lookup.outputs == tensors["weights"].shape[1]
    for name in ("index", "weights"):
        np.testing.assert_array_equal(getattr(fast, name), tensors[name])
    with pytest.raises(ValueError, match="read-only"):
        fast.index[0] = 1


def test_an_index_that_points_beyond_the_weights(folder):
    tensors = load_file(str(folder / models.WEIGHTS))
    rows = len(tensors["weights"])
    for index in (tensors["index"] + rows, tensors["index"] - 1, tensors["index"].astype(np.int64)):
        rewrite(folder, index=index, weights=tensors["weights"])
        with pytest.raises(
            ModelError, match=f"its index points beyond its {rows} rows; fetch the model again"
        ):
            models.load(folder)


def test_weights_that_are_no_safetensors_or_lack_one(folder):
    tensors = load_file(str(folder / models.WEIGHTS))
    rewrite(folder, index=tensors["index"])
    with pytest.raises(
        ModelError, match=r"weights.safetensors can't be read: 'weights'; fetch the model again"
    ):
        models.load(folder)
    path = folder / models.WEIGHTS
    path.write_bytes(b"no model")
    describe(folder, files={models.WEIGHTS: sha256_of(path)})
    with pytest.raises(ModelError, match=r"weights.safetensors can't be read: .*; fetch the model again"):
        models.load(folder)


def test_the_first_version_becomes_current_and_later_ones_do_not(tmp_path):
    for version in ("1", "2"):
        (tmp_path / "mine" / version).mkdir(parents=True)
        models.appoint_first(tmp_path / "mine" / version)
    assert (tmp_path / "mine" / "CURRENT").read_text() == "1\n"


def test_a_current_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="CURRENT"):
        models.appoint_first(tmp_path / "file" / "1")
