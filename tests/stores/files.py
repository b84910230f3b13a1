"""What lies on the disk."""

from pathlib import Path


def names(folder: Path) -> set[str]:
    """The files of a folder."""
    return {found.name for found in folder.iterdir()}


def modes(folder: Path) -> set[int]:
    """The rights on its files."""
    return {found.stat().st_mode & 0o777 for found in folder.iterdir()}


def holding(folder: Path, text: bytes) -> set[str]:
    """The files in which this text stands."""
    return {found.name for found in folder.iterdir() if text in found.read_bytes()}


def remove_log(path: Path) -> None:
    """Delete what SQLite keeps beside its file."""
    for rest in ("-wal", "-shm"):
        path.with_name(f"{path.name}{rest}").unlink(missing_ok=True)


def allow(folder: Path, mode: int) -> None:
    """Set the rights on a folder."""
    folder.chmod(mode)
