"""The build context: what the recipe names, where it names it, and the project untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.images.build import ImageBuild, assemble
from tidegate.images.engine import Labels


def build(folder: Path, context: dict[str, Path], entrypoint: tuple[str, ...] = ()) -> ImageBuild:
    return ImageBuild(
        name="x",
        key="k" * 64,
        reference="tidegate-test/x:1",
        folder=folder,
        context=context,
        args={},
        entrypoint=entrypoint,
        versions={},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recipe"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM scratch\nCOPY rootfs/ /\n")
    (made / "beside.conf").write_text("beside")
    return made


def test_everything_lies_where_the_recipe_says(folder: Path, cache: Path, tmp_path: Path) -> None:
    binary = cache / "bin" / "tool-0" / "tool"
    binary.parent.mkdir(parents=True)
    binary.write_text("tool")
    binary.chmod(0o755)
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").write_text("deep")
    (tree / "link").symlink_to("deep/file")
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__" / "x.pyc").write_text("byte code")
    work = tmp_path / "work"
    assemble(build(folder, {"rootfs/bin/renamed": binary, "app/": tree, "rootfs/etc/": binary}), work)
    found = {str(path.relative_to(work)) for path in work.rglob("*") if not path.is_dir()}
    assert found == {
        "Dockerfile",
        "beside.conf",
        "rootfs/bin/renamed",
        "rootfs/etc/tool",
        "app/deep/file",
        "app/link",
    }
    assert (work / "rootfs/bin/renamed").stat().st_mode & 0o111
    assert (work / "app/link").is_symlink()


def test_an_entrypoint_is_added_to_the_copy_only(folder: Path, tmp_path: Path) -> None:
    before = (folder / "Dockerfile").read_text()
    assemble(build(folder, {}, ("/bin/x", "--flag")), tmp_path / "work")
    assert (tmp_path / "work/Dockerfile").read_text().endswith('\nENTRYPOINT ["/bin/x", "--flag"]\n')
    assert (folder / "Dockerfile").read_text() == before


def test_a_missing_source_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"image x needs a file that is not there \(.*gone\)"):
        assemble(build(folder, {"a": tmp_path / "gone"}), tmp_path / "work")


def test_labels_say_what_went_in_and_match_their_own_key_only() -> None:
    labels = Labels(recipe="abc", versions={"b": "2", "a": "1"})
    assert labels.pairs() == {
        "io.tidegate.source": "packages",
        "io.tidegate.recipe": "abc",
        "io.tidegate.versions": '{"a":"1","b":"2"}',
    }
    assert labels.matches(labels.pairs())
    assert not labels.matches(Labels(recipe="abd").pairs())
    assert not labels.matches({})
    assert not labels.matches(None)
    assert 'LABEL io.tidegate.versions="{\\"a\\":\\"1\\",\\"b\\":\\"2\\"}"' in labels.changes()
