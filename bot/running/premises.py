"""What must hold before anything is started: free ports, room on the disk, keys. One sentence when it does not."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from bot.running.errors import DiskFull, PortBusy
from bot.settings import Settings

FREE_DISK_MIN_MB = 500
_BYTES_PER_MB = 1024**2


def require_port(host: str, port: int, what: str, setting: str) -> None:
    """Raises PortBusy, naming the setting that chooses another port."""
    if not port_is_free(host, port):
        raise PortBusy(f"{what}的端口 {port} 已被占用，请关掉占用它的程序，或设置 {setting} 换一个。")


def require_disk(folder: Path) -> None:
    """Makes the folder; raises DiskFull when less than 500 MB are left there."""
    folder.mkdir(parents=True, exist_ok=True)
    free_mb = shutil.disk_usage(folder).free // _BYTES_PER_MB
    if free_mb < FREE_DISK_MIN_MB:
        raise DiskFull(
            f"磁盘空间不够：数据目录 {folder.name} 至少要 {FREE_DISK_MIN_MB} MB，现在只剩 {free_mb} MB。"
            "请腾出空间，或用 ZHANGGUI_DATA_DIR 换一个目录。"
        )


def examine_premises(settings: Settings) -> None:
    """Everything that would stop the start later on. Raises StartError, or KeyRingInvalid without usable keys."""
    require_disk(settings.data_dir)
    require_port(settings.host, settings.port, "网页", "ZHANGGUI_PORT")
    if settings.own_nlu:
        require_port("127.0.0.1", settings.nlu_port, "理解服务", "ZHANGGUI_NLU_PORT")
    settings.open_vault()  # last: it may make keys, and says so in the log


def port_is_free(host: str, port: int) -> bool:
    """True when nobody listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of the loopback interface that is free right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
