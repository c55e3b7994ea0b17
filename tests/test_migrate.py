"""Stores of version 1 get today's names, in place."""

import xmr_lib.encoders  # noqa: F401 (slugs can be read once they are registered)
from xmr_lib.features.migrate import migrate_stores
from xmr_lib.features.spec import FeatureSpec


def test_a_store_is_renamed_and_nothing_else_is_touched(tmp_path):
    network = tmp_path / "my_models" / "bert"
    network.mkdir(parents=True)
    features = tmp_path / "cache" / "flickr8k-0" / "features"
    old = features / f"bert:{str(network).replace('/', '_')}@11"
    for folder in (old, features / "effnet-lite0", features / "bert:_nowhere_to_be_found"):
        folder.mkdir(parents=True)
        (folder / "meta.json").write_text(folder.name)
    lines = list(migrate_stores(tmp_path / "cache"))
    new = features / FeatureSpec.parse(f"bert:{network}@11").folder
    assert (new / "meta.json").read_text() == old.name and not old.exists()
    assert (features / "effnet-lite0" / "meta.json").is_file()
    assert len(lines) == 2 and any("left as it is (no folder" in line for line in lines)
    assert [line for line in migrate_stores(tmp_path / "cache") if "->" in line] == []
