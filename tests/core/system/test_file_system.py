from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.system.file_system import network_file_system
from tests.core.toy_searches import toy_search

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/ann/fast tmpfs rw 0 0
host:/data /mnt/my\\040data fuse.sshfs rw 0 0
/dev/vdb /srv ext4 rw 0 0
//server/share /srv cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/run1", None),
        ("/home/ann/runs/a/study.db", "nfs4"),
        ("/homeless", None),
        ("/home/ann/fast/run", None),
        ("/mnt/my data/run", "fuse.sshfs"),
        ("/srv/run", "cifs"),
    ],
)
def test_the_deepest_mount_tells_whether_a_path_is_on_a_network(
    tmp_path: Path, path: str, kind: str | None
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_file_system(Path(path), mounts=mounts) == kind


def test_where_no_table_of_mounts_is_nothing_is_known(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, mounts=tmp_path / "none") is None


def test_a_search_on_a_network_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("denas_core.study.run_directory.network_file_system", lambda path: "nfs4")
    result = toy_search(tmp_path / "a", budget=3)
    assert any("network file system (nfs4)" in notice for notice in result.notices)
